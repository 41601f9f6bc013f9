import { Badge, type Tone } from "@/components/ui/badge";
import { useI18n } from "@/i18n";

const TONES: Record<string, Tone> = {
  ready: "green",
  completed: "green",
  succeeded: "green",
  production: "green",
  running: "accent",
  validating: "accent",
  stopping: "amber",
  stopped: "amber",
  queued: "blue",
  pending: "blue",
  uploaded: "blue",
  staging: "blue",
  failed: "red",
  invalid: "red",
};
const LIVE = new Set(["running", "validating", "stopping"]);

/** A state of a dataset, job, run or version: a colour and a word. */
export function StateBadge({ state }: { state: string }) {
  const { known } = useI18n();
  return (
    <Badge tone={TONES[state] ?? "neutral"} dot={LIVE.has(state) ? "live" : "still"} data-state-name={state}>
      {known("states", state, state)}
    </Badge>
  );
}
