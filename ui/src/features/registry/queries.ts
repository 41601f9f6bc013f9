import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, answerOrJob, api, idempotency, type Schema } from "@/api/client";

export type Version = Schema<"ModelResponse">;
export type Export = Schema<"ExportResponse">;
export type Certificate = Schema<"CertificateDocument">;
export type PromptResult = Schema<"PromptResult">;
export type ExportOption = Schema<"ExportOption">;

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
        (await answer(api.GET(`${PATH}/{id}/exports`, { signal, params: { path: { id }, query: { page_size: 200 } } })))
          .items,
    }),
  exportOptions: (id: number) =>
    queryOptions({
      queryKey: [...registryQueries.all(), "export-options", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{id}/export-options`, { signal, params: { path: { id } } })),
    }),
  certificate: (id: number, exportId: number) =>
    queryOptions({
      queryKey: [...registryQueries.all(), "certificate", id, exportId],
      queryFn: async ({ signal }) => {
        const params = { path: { id, export_id: exportId } };
        return (await answer(
          api.GET(`${PATH}/{id}/exports/{export_id}/certificate`, { signal, params }),
        )) as Certificate;
      },
    }),
};

/** Starts an export; answers the job that writes and certifies it. */
export function useStartExport() {
  return useMutation({
    mutationFn: async (body: Schema<"ExportRequest">) => {
      const outcome = await answerOrJob(
        api.POST("/api/v1/admin/exports", { params: { query: { wait: 0 } }, body, headers: idempotency() }),
      );
      return "job" in outcome ? outcome.job : null;
    },
  });
}

export function useDeleteExport(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (exportId: number) =>
      answer(api.DELETE(`${PATH}/{id}/exports/{export_id}`, { params: { path: { id, export_id: exportId } } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: registryQueries.exports(id).queryKey }),
  });
}

export const exportPath = (id: number, exportId: number, what: string) => `${PATH}/${id}/exports/${exportId}/${what}`;
