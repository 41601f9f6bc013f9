import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, answerOrJob, api, idempotency, type Schema } from "@/api/client";
import { waitForJob } from "@/api/jobs";

export type Version = Schema<"ModelResponse">;
export type Export = Schema<"ExportResponse">;
export type Certificate = Schema<"Certificate">;

export const PAGE_SIZE = 24;
const PATH = "/api/v1/admin/models";

export const registryQueries = {
  all: () => ["registry"] as const,
  list: (filter: { page: number; page_size?: number }) =>
    queryOptions({
      queryKey: [...registryQueries.all(), "list", filter],
      queryFn: ({ signal }) =>
        answer(api.GET(PATH, { signal, params: { query: { page_size: PAGE_SIZE, ...filter } } })),
      placeholderData: keepPreviousData,
    }),
  detail: (id: number) =>
    queryOptions({
      queryKey: [...registryQueries.all(), "detail", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{id}`, { signal, params: { path: { id } } })),
    }),
  card: (id: number) =>
    queryOptions({
      queryKey: [...registryQueries.all(), "card", id],
      queryFn: async ({ signal }) =>
        (await answer(api.GET(`${PATH}/{id}/card`, { signal, params: { path: { id } } }))).markdown,
    }),
  exports: (id: number) =>
    queryOptions({
      queryKey: [...registryQueries.all(), "exports", id],
      queryFn: async ({ signal }) =>
        (await answer(api.GET(`${PATH}/{id}/exports`, { signal, params: { path: { id } } }))).items,
    }),
};

export function useExportVersion(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"ModelExportRequest">) => {
      const call = api.POST(`${PATH}/{id}/export`, {
        params: { path: { id } },
        body,
        headers: idempotency(),
      });
      const outcome = await answerOrJob(call);
      if ("job" in outcome) await waitForJob(outcome.job);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: registryQueries.all() }),
  });
}
