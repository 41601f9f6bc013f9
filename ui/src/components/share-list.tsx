import type { ReactNode } from "react";
import { useI18n } from "@/i18n";

interface ShareListProps {
  label: string;
  items: readonly { name: ReactNode; note?: string; key: string; count: number; share: number }[];
  tone?: "accent" | "amber" | "blue";
}

const TONES = { accent: "bg-accent-soft", amber: "bg-amber-soft", blue: "bg-blue-soft" };

/** Names with their shares as bars behind them, the figures to the right. */
export function ShareList({ label, items, tone = "accent" }: ShareListProps) {
  const { format } = useI18n();
  const most = Math.max(...items.map((item) => item.share), 1e-9);
  return (
    <ul aria-label={label} className="space-y-1">
      {items.map((item) => (
        <li
          key={item.key}
          className="relative flex items-baseline gap-3 overflow-hidden rounded px-2 py-1 text-[0.8125rem]"
        >
          <span
            aria-hidden
            className={`absolute inset-y-0 left-0 rounded ${TONES[tone]}`}
            style={{ width: `${(item.share / most) * 100}%` }}
          />
          <span className="relative min-w-0 flex-1">
            <span className="block truncate">{item.name}</span>
            {item.note && <span className="numeric block truncate text-ink-faint text-xs">{item.note}</span>}
          </span>
          <span className="numeric relative text-ink-soft text-xs">{format.number(item.count)}</span>
          <span className="numeric relative w-12 text-end text-ink-faint text-xs">{format.percent(item.share, 1)}</span>
        </li>
      ))}
    </ul>
  );
}
