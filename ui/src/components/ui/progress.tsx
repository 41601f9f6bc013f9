import { cn } from "@/lib/cn";

interface ProgressProps {
  label: string;
  /** A share from 0 to 1; null while nobody knows. */
  value: number | null;
  tone?: "accent" | "green" | "red" | "amber" | "neutral";
  className?: string;
}

const TONES = {
  accent: "bg-accent",
  green: "bg-green",
  red: "bg-red",
  amber: "bg-amber",
  neutral: "bg-ink-faint",
};

export function Progress({ label, value, tone = "accent", className }: ProgressProps) {
  const percent = value === null ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 1000) / 10;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={cn("h-1.5 w-full overflow-hidden rounded-full bg-line", className)}
    >
      <div
        className={cn(
          "h-full rounded-full transition-[width] duration-500",
          TONES[tone],
          percent === undefined && "w-1/3 animate-pulse",
        )}
        style={percent === undefined ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}
