import { keepPreviousData, type QueryClient, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { call, callJob } from "@/api/call";
import { answer, api, idempotency, type Schema } from "@/api/client";
import { jobQueries } from "@/features/jobs/queries";

export type Run = Schema<"FinetuningJobResponse">;
export type RunState = Run["status"];
export type Metrics = Schema<"TrainingMetrics">;
export type LogLine = Schema<"LogLineView">;
export type Checkpoint = Schema<"CheckpointResponse">;

export const PAGE_SIZE = 20;
export const LOG_LINES = 500;
const MAX_POINTS = 2_000;
const PATH = "/api/v1/admin/finetuning/jobs";

/** The outward word for a run that is still saving its last checkpoint is "stopped" already; its job knows better. */
export const isStopping = (run: Run) => run.graph.some((step) => step.kind === "train" && step.state === "stopping");
export const isMoving = (run: Run) => run.status === "pending" || run.status === "running" || isStopping(run);

export const runQueries = {
  all: () => ["runs"] as const,
  list: (filter: { page: number; status?: RunState | undefined; search?: string | undefined; page_size?: number }) =>
    queryOptions({
      queryKey: [...runQueries.all(), "list", filter],
      queryFn: ({ signal }) => {
        const query = { page_size: PAGE_SIZE, ...filter };
        return answer(api.GET(PATH, { signal, params: { query } }));
      },
      placeholderData: keepPreviousData,
      refetchInterval: ({ state }) => (state.data?.items.some(isMoving) ? 2_000 : false),
    }),
  detail: (id: number) =>
    queryOptions({
      queryKey: [...runQueries.all(), "detail", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{id}`, { signal, params: { path: { id } } })),
      refetchInterval: ({ state }) => (state.data && isMoving(state.data) ? 1_500 : false),
    }),
  metrics: (id: number) =>
    queryOptions({
      queryKey: [...runQueries.all(), "metrics", id],
      queryFn: async ({ signal }) => {
        const params = { path: { id }, query: { max_points: MAX_POINTS } };
        return (await answer(api.GET(`${PATH}/{id}/metrics`, { signal, params }))).points;
      },
    }),
  logs: (id: number) =>
    queryOptions({
      queryKey: [...runQueries.all(), "logs", id],
      queryFn: async ({ signal }) => {
        // The call can also stream, so its document names no one type.
        const query = { tail: LOG_LINES };
        return (await call<Schema<"JobLogsResponse">>("GET", `${PATH}/${id}/logs`, { signal, query })).lines;
      },
    }),
  checkpoints: (id: number) =>
    queryOptions({
      queryKey: [...runQueries.all(), "checkpoints", id],
      queryFn: async ({ signal }) =>
        (await answer(api.GET(`${PATH}/{id}/checkpoints`, { signal, params: { path: { id } } }))).items,
    }),
};

export const sampleQuery = (id: number, isLive: boolean) =>
  queryOptions({
    queryKey: [...runQueries.all(), "samples", id],
    queryFn: async ({ signal }) =>
      (await answer(api.GET(`${PATH}/{id}/samples`, { signal, params: { path: { id } } }))).samples,
    refetchInterval: isLive ? 5_000 : false,
  });

export interface Forecast {
  peak_memory_bytes?: number | null;
  seconds?: number | null;
  seconds_per_step?: number | null;
  tokens?: number | null;
  truncated_rows?: number | null;
  problems?: { code?: string; severity?: string; message?: string; fix?: string | null }[];
}

/** Two real steps on the longest rows. A server that has no forecast answers 404, 405 or 501. */
export function useForecast() {
  return useMutation({
    mutationFn: (recipe: Record<string, unknown>) =>
      callJob<Forecast>("POST", `${PATH}/preflight`, { body: recipe, query: { wait: 0 } }),
  });
}

export function useDeleteRun(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.DELETE(`${PATH}/{id}`, { params: { path: { id } } })),
    onSuccess: () => refreshRuns(queryClient),
  });
}

export type CheckpointDeed = "keep" | "verify" | "resume" | "delete";

export function useCheckpointDeed(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ checkpoint, deed }: { checkpoint: number; deed: CheckpointDeed }): Promise<unknown> => {
      const place = `${PATH}/${id}/checkpoints/${checkpoint}`;
      if (deed === "delete") return call("DELETE", place);
      if (deed === "resume") return call("POST", `${PATH}/${id}/resume`, { body: { checkpoint_id: checkpoint } });
      return call("POST", `${place}/${deed}`);
    },
    onSettled: () => refreshRuns(queryClient),
  });
}

export function useStartRun() {
  const queryClient = useQueryClient();
  return useMutation({
    // The recipe is what the person wrote; the server says what is wrong with it.
    mutationFn: (recipe: Record<string, unknown>) =>
      answer(api.POST(PATH, { body: recipe as unknown as Schema<"Recipe">, headers: idempotency() })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: runQueries.all() }),
  });
}

function refreshRuns(queryClient: QueryClient) {
  void queryClient.invalidateQueries({ queryKey: jobQueries.all() });
  return queryClient.invalidateQueries({ queryKey: runQueries.all() });
}

export function useStopRun(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST(`${PATH}/{id}/stop`, { params: { path: { id } }, headers: idempotency() })),
    onSettled: () => refreshRuns(queryClient),
  });
}

export function useResumeRun(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST(`${PATH}/{id}/resume`, { params: { path: { id } }, headers: idempotency() })),
    onSettled: () => refreshRuns(queryClient),
  });
}
