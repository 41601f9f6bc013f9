import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, answerOrJob, api, idempotency, type Schema } from "@/api/client";
import { uploadForm } from "@/api/upload";
import { waitForJob } from "@/features/jobs/queries";

export type Dataset = Schema<"DatasetSummary">;
export type DatasetDetail = Schema<"DatasetResponse">;
export type Finding = Schema<"Finding">;
export type Severity = Finding["severity"];
export type SplitRequest = Schema<"DatasetSplitRequest">;
export interface FindingCounts {
  red: number;
  amber: number;
  green: number;
  by_code: Record<string, number>;
}
export type SplitResult = Schema<"DatasetSplitResponse">;

export const PAGE_SIZE = 20;
const PATH = "/api/v1/admin/training/datasets";

export interface FindingFilter {
  severity?: Severity | undefined;
  code?: string | undefined;
  page: number;
}

const isBusy = (dataset: Dataset) => dataset.status === "uploaded" || dataset.status === "validating";

export const datasetQueries = {
  all: () => ["datasets"] as const,
  list: (filter: { page: number; search?: string | undefined; page_size?: number }) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "list", filter],
      queryFn: ({ signal }) => {
        const query = { page_size: PAGE_SIZE, ...filter };
        return answer(api.GET(PATH, { signal, params: { query } }));
      },
      placeholderData: keepPreviousData,
      refetchInterval: ({ state }) => (state.data?.items.some(isBusy) ? 1_000 : false),
    }),
  detail: (id: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "detail", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{id}`, { signal, params: { path: { id } } })),
      refetchInterval: ({ state }) => (state.data && isBusy(state.data) ? 700 : false),
    }),
  findings: (id: number, filter: FindingFilter) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "findings", id, filter],
      queryFn: ({ signal }) => {
        const query = { ...filter, page_size: PAGE_SIZE };
        return answer(api.GET(`${PATH}/{id}/findings`, { signal, params: { path: { id }, query } }));
      },
      placeholderData: keepPreviousData,
    }),
  preview: (id: number, offset: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "preview", id, offset],
      queryFn: ({ signal }) => {
        const query = { offset, limit: PAGE_SIZE };
        return answer(api.GET(`${PATH}/{id}/preview`, { signal, params: { path: { id }, query } }));
      },
      placeholderData: keepPreviousData,
    }),
};

interface Upload {
  file: File;
  name: string;
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

export function useUploadDataset() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ file, name, onProgress, signal }: Upload) => {
      const form = new FormData();
      form.set("name", name);
      form.set("file", file);
      return uploadForm<DatasetDetail>(PATH, form, { onProgress, signal });
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}

export function useValidateDataset(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const params = { path: { id }, query: { wait: 2 } };
      const outcome = await answerOrJob(api.POST(`${PATH}/{id}/validate`, { params, headers: idempotency() }));
      if ("job" in outcome) await waitForJob(outcome.job);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}

export function useSplitDataset(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: SplitRequest): Promise<SplitResult> => {
      const params = { path: { id }, query: { wait: 2 } };
      const outcome = await answerOrJob(api.POST(`${PATH}/{id}/split`, { params, body, headers: idempotency() }));
      if ("job" in outcome) return (await waitForJob(outcome.job)).result as unknown as SplitResult;
      return outcome.done as SplitResult;
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}
