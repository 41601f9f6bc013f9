import type { ReactNode } from "react";

interface StatProps {
  label: string;
  children: ReactNode;
  note?: ReactNode;
}

/** One figure with its name. Use inside a `dl`. */
export function Stat({ label, children, note }: StatProps) {
  return (
    <div className="min-w-0 px-5 py-4">
      <dt className="text-ink-soft text-xs">{label}</dt>
      <dd className="numeric mt-0.5 break-words font-semibold text-lg leading-7">{children}</dd>
      {note && <dd className="text-ink-faint text-xs">{note}</dd>}
    </div>
  );
}
