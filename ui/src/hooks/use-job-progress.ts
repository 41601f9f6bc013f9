import { useState } from "react";
import { useEventStream } from "@/hooks/use-event-stream";

export interface JobProgress {
  /** A share from 0 to 1; null while nobody knows. */
  share: number | null;
  step: number;
  total: number | null;
  etaSeconds: number | null;
  message: string | null;
}

const START: JobProgress = { share: null, step: 0, total: null, etaSeconds: null, message: null };
const ENDS = new Set<unknown>(["succeeded", "failed", "stopped", "cancelled"]);

/** How far a job is, live. A refresh of the page takes it up again: the server keeps what the job has said. */
export function useJobProgress(id: number, enabled: boolean, onEnd: (state: string) => void): JobProgress {
  const [progress, setProgress] = useState(START);
  useEventStream(`/api/v1/admin/jobs/${id}/events`, {
    enabled,
    onEvent: (type, payload) => {
      if (type === "progress") setProgress(read(payload));
      else if (type === "state" && ENDS.has(payload.state)) onEnd(String(payload.state));
    },
    isLast: (type, payload) => type === "state" && ENDS.has(payload.state),
  });
  return progress;
}

function read(payload: Record<string, unknown>): JobProgress {
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  const step = number(payload.step) ?? 0;
  const total = number(payload.total_steps);
  return {
    share: total ? Math.min(1, step / total) : null,
    step,
    total,
    etaSeconds: number(payload.eta_seconds),
    message: typeof payload.message === "string" ? payload.message : null,
  };
}
