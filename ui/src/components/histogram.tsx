import { useState } from "react";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

export interface Bar {
  low: number;
  high: number;
  count: number;
  share: number;
}

interface HistogramProps {
  label: string;
  bars: readonly Bar[];
  /** How an edge is written. */
  edge: (value: number) => string;
  /** Bars from here on are drawn as lost: what is beyond a length that was chosen. */
  cut?: number;
  height?: number;
}

/** A distribution in bars; the one that is pointed at says its figures. */
export function Histogram({ label, bars, edge, cut, height = 160 }: HistogramProps) {
  const { format } = useI18n();
  const [pointed, setPointed] = useState<number | null>(null);
  const most = Math.max(1, ...bars.map((bar) => bar.count));
  const shown = pointed === null ? undefined : bars[pointed];
  const range = (bar: Bar) => (bar.low === bar.high ? edge(bar.low) : `${edge(bar.low)} – ${edge(bar.high)}`);
  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return null;
  return (
    <figure aria-label={label} className="min-w-0">
      <figcaption className="numeric mb-1 h-5 truncate text-ink-soft text-xs">
        {shown
          ? `${range(shown)}: ${format.number(Math.round(shown.count))} (${format.percent(shown.share, 1)})`
          : label}
      </figcaption>
      <ol
        className="flex items-end gap-px border-line-strong border-b"
        style={{ height }}
        onPointerLeave={() => setPointed(null)}
      >
        {bars.map((bar, index) => (
          <li
            key={`${bar.low}-${bar.high}`}
            className="group flex h-full min-w-0 flex-1 items-end"
            onPointerEnter={() => setPointed(index)}
          >
            <span className="sr-only">{`${range(bar)}: ${format.number(Math.round(bar.count))}`}</span>
            <span
              aria-hidden
              className={cn(
                "block w-full rounded-t-[2px] transition-colors",
                cut !== undefined && bar.low >= cut ? "bg-amber/70" : "bg-accent/75 group-hover:bg-accent",
              )}
              style={{ height: bar.count === 0 ? 0 : `max(2px, ${(bar.count / most) * 100}%)` }}
            />
          </li>
        ))}
      </ol>
      <div aria-hidden className="numeric mt-1 flex justify-between text-[0.6875rem] text-ink-faint">
        <span>{edge(first.low)}</span>
        {bars.length > 2 && <span>{edge((bars[Math.floor(bars.length / 2)] ?? last).low)}</span>}
        <span>{edge(last.high)}</span>
      </div>
    </figure>
  );
}
