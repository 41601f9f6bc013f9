import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { jobQueries } from "@/features/jobs/queries";
import { type StreamState, useEventStream } from "@/hooks/use-event-stream";
import { isMoving, LOG_LINES, type LogLine, type Metrics, type Run, runQueries } from "./queries";

const ENDS = new Set<unknown>(["succeeded", "failed", "stopped", "cancelled"]);

/**
 * The live side of a run: what the API has is loaded first, then every later event is written into the same cached
 * answers. A refresh loads them again and goes on from there.
 */
export function useLiveRun(run: Run): {
  metrics: Metrics[];
  lines: LogLine[];
  stream: StreamState;
  isLoading: boolean;
} {
  const queryClient = useQueryClient();
  const { id } = run;
  const logs = useQuery(runQueries.logs(id));
  const metrics = useQuery(runQueries.metrics(id));
  const isLive = isMoving(run);

  const refresh = useCallback(() => {
    void queryClient.invalidateQueries({ queryKey: jobQueries.all() });
    return queryClient.invalidateQueries({ queryKey: runQueries.detail(id).queryKey });
  }, [queryClient, id]);

  // The word that a run has ended may overtake its last points and lines: what the API has at the end counts.
  const wasLive = useRef(isLive);
  useEffect(() => {
    if (wasLive.current && !isLive) void queryClient.invalidateQueries({ queryKey: runQueries.all() });
    wasLive.current = isLive;
  }, [isLive, queryClient]);

  const onEvent = (type: string, payload: Record<string, unknown>, offset: number) => {
    if (type === "metric")
      queryClient.setQueryData(runQueries.metrics(id).queryKey, (old) => withPoint(old ?? [], payload));
    else if (type === "log")
      queryClient.setQueryData(runQueries.logs(id).queryKey, (old) => withLine(old ?? [], payload, offset));
    else if (type === "progress")
      queryClient.setQueryData(runQueries.detail(id).queryKey, (old) => withProgress(old, payload));
    else if (type === "checkpoint")
      void queryClient.invalidateQueries({ queryKey: runQueries.checkpoints(id).queryKey });
    else if (type === "state") void refresh();
  };

  const stream = useEventStream(`/api/v1/admin/jobs/${id}/events`, {
    enabled: isLive && logs.isSuccess && metrics.isSuccess,
    from: logs.data?.at(-1)?.offset ?? 0,
    onEvent,
    // Points between the two first answers and the opening of the stream would be missed without this.
    onOpen: () => {
      void queryClient.invalidateQueries({ queryKey: runQueries.metrics(id).queryKey });
      void queryClient.invalidateQueries({ queryKey: runQueries.checkpoints(id).queryKey });
    },
    isLast: (type, payload) => type === "state" && ENDS.has(payload.state),
  });

  return { metrics: metrics.data ?? [], lines: logs.data ?? [], stream, isLoading: metrics.isPending };
}

/** One point a step: training and evaluation of the same step come as two events and belong together. */
export function withPoint(points: Metrics[], payload: Record<string, unknown>): Metrics[] {
  const values = (payload.values ?? {}) as Partial<Metrics>;
  const step = Number(payload.step);
  const epoch = typeof payload.epoch === "number" ? payload.epoch : null;
  const timestamp =
    typeof payload.at === "number" ? new Date(payload.at * 1000).toISOString() : new Date().toISOString();
  const blank: Metrics = {
    step,
    epoch,
    loss: null,
    eval_loss: null,
    learning_rate: null,
    grad_norm: null,
    tokens_per_second: null,
    memory_gb: null,
    timestamp,
  };
  const place = points.findIndex((point) => point.step >= step);
  if (place < 0) return [...points, { ...blank, ...values }];
  const next = [...points];
  const existing = points[place];
  if (existing?.step === step) next[place] = { ...existing, ...values };
  else next.splice(place, 0, { ...blank, ...values });
  return next;
}

export function withLine(lines: LogLine[], payload: Record<string, unknown>, offset: number): LogLine[] {
  if (lines.some((line) => line.offset === offset)) return lines;
  const at = typeof payload.at === "number" ? new Date(payload.at * 1000) : new Date();
  const line = {
    offset,
    at: at.toISOString(),
    attempt: 0,
    level: String(payload.level ?? "info"),
    message: String(payload.message ?? ""),
  };
  return [...lines, line].slice(-LOG_LINES);
}

function withProgress(run: Run | undefined, payload: Record<string, unknown>): Run | undefined {
  if (!run) return run;
  const step = typeof payload.step === "number" ? payload.step : run.current_step;
  const total = typeof payload.total_steps === "number" ? payload.total_steps : run.total_steps;
  const eta = typeof payload.eta_seconds === "number" ? payload.eta_seconds : run.eta_seconds;
  const progress = total && typeof step === "number" ? step / total : run.progress;
  return { ...run, current_step: step, total_steps: total, eta_seconds: eta, progress };
}
