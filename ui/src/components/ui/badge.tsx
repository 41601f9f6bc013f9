import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

const TONES = {
  neutral: "bg-sunken text-ink-soft ring-line",
  accent: "bg-accent-soft text-accent ring-accent/20",
  green: "bg-green-soft text-green ring-green/20",
  amber: "bg-amber-soft text-amber ring-amber/25",
  red: "bg-red-soft text-red ring-red/20",
  blue: "bg-blue-soft text-blue ring-blue/20",
};

export type Tone = keyof typeof TONES;

interface BadgeProps extends ComponentProps<"span"> {
  tone?: Tone;
  /** A dot before the text; it breathes while something is going on. */
  dot?: "still" | "live";
}

export function Badge({ tone = "neutral", dot, className, children, ...props }: BadgeProps) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1.5 whitespace-nowrap rounded-full px-2 py-0.5 font-medium text-xs leading-5 ring-1 ring-inset",
        TONES[tone],
        className,
      )}
      {...props}
    >
      {dot && (
        <span aria-hidden className={cn("size-1.5 rounded-full bg-current", dot === "live" && "animate-pulse")} />
      )}
      {children}
    </span>
  );
}
