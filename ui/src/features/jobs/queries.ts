import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api, idempotency, type Schema } from "@/api/client";
import { isActive } from "@/api/jobs";

export type Job = Schema<"JobView">;
export type JobState = Job["state"];

const PATH = "/api/v1/admin/jobs";
export const PAGE_SIZE = 20;
const LOG_LINES = 300;

export interface JobFilter {
  page: number;
  state?: JobState[] | undefined;
  kind?: string | undefined;
  search?: string | undefined;
  page_size?: number;
}

export const jobQueries = {
  all: () => ["jobs"] as const,
  list: (filter: JobFilter) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "list", filter],
      queryFn: ({ signal }) =>
        answer(api.GET(PATH, { signal, params: { query: { page_size: PAGE_SIZE, ...filter } } })),
      placeholderData: keepPreviousData,
      refetchInterval: 3_000,
    }),
  queues: () =>
    queryOptions({
      queryKey: [...jobQueries.all(), "queues"],
      queryFn: ({ signal }) => answer(api.GET("/api/v1/admin/system/queues", { signal })),
      refetchInterval: 3_000,
    }),
  logs: (id: number, isLive: boolean) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "logs", id],
      queryFn: async ({ signal }) => {
        const params = { path: { job_id: id }, query: { tail: LOG_LINES } };
        return (await answer(api.GET(`${PATH}/{job_id}/logs`, { signal, params }))).lines;
      },
      refetchInterval: isLive ? 1_500 : false,
    }),
  detail: (id: number) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "detail", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{job_id}`, { signal, params: { path: { job_id: id } } })),
      refetchInterval: ({ state }) => (state.data && isActive(state.data.state) ? 1_500 : false),
    }),
  graph: (id: number) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "graph", id],
      queryFn: ({ signal }) => answer(api.GET(PATH, { signal, params: { query: { graph_id: id, page_size: 50 } } })),
      refetchInterval: ({ state }) => (state.data?.items.some((job) => isActive(job.state)) ? 1_500 : false),
    }),
};

function useRefresh() {
  const queryClient = useQueryClient();
  return () => {
    void queryClient.invalidateQueries({ queryKey: ["runs"] });
    void queryClient.invalidateQueries({ queryKey: ["datasets"] });
    return queryClient.invalidateQueries({ queryKey: jobQueries.all() });
  };
}

/** Cancel throws away what the job has done; what shows its run or data set is asked for again. */
export function useEndJob() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ id, how }: { id: number; how: "cancel" | "retry" }) => {
      const options = { params: { path: { job_id: id } }, headers: idempotency() };
      return how === "cancel"
        ? answer(api.POST(`${PATH}/{job_id}/cancel`, options))
        : answer(api.POST(`${PATH}/{job_id}/retry`, options));
    },
    onSettled: refresh,
  });
}

export function useJobPriority() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ id, priority }: { id: number; priority: number }) =>
      answer(api.PATCH(`${PATH}/{job_id}`, { params: { path: { job_id: id } }, body: { priority } })),
    onSettled: refresh,
  });
}
