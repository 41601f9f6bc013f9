import { Progress } from "@/components/ui/progress";
import { useI18n } from "@/i18n";

const TONES: Record<string, "green" | "red" | "amber"> = {
  completed: "green",
  succeeded: "green",
  failed: "red",
  stopped: "amber",
};

interface StateProgressProps {
  label: string;
  state: string;
  /** A share from 0 to 1. */
  value: number | null;
  className?: string;
}

/** How far something is, in the colour of how it stands. */
export function StateProgress({ label, state, value, className }: StateProgressProps) {
  return <Progress label={label} value={value} tone={TONES[state] ?? "accent"} className={className} />;
}

/** The same in a table, with the figure beside it where there is room. */
export function StateProgressCell({ label, state, value }: StateProgressProps) {
  const { format } = useI18n();
  return (
    <span className="flex items-center gap-2">
      <StateProgress label={label} state={state} value={value} className="w-20" />
      <span className="numeric max-sm:hidden">{value === null ? "" : format.percent(value)}</span>
    </span>
  );
}
