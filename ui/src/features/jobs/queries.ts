import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import { isActive } from "@/api/jobs";

const PATH = "/api/v1/admin/jobs";

export const jobQueries = {
  all: () => ["jobs"] as const,
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
