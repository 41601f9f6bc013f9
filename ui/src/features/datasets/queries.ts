import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, answerOrJob, api, idempotency, type Schema } from "@/api/client";
import { finished, waitForJob } from "@/api/jobs";

export type Dataset = Schema<"DatasetSummary">;
export type DatasetDetail = Schema<"DatasetResponse">;
export type Finding = Schema<"Finding">;
export type Severity = Finding["severity"];
export type PreviewRow = Schema<"PreviewRow">;
export type FindingCounts = Schema<"FindingCounts">;
export type FindingGroup = Schema<"FindingGroup">;

export type StepExample = Schema<"StepExample">;
export type StepReport = Schema<"StepReport">;
export type Derivation = Schema<"DerivationResponse">;

export const PAGE_SIZE = 20;
const CHOICES = 200;
export const ROWS_A_PAGE = 100;
export const DATASETS = "/api/v1/admin/training/datasets";
const PATH = DATASETS;

export interface FindingFilter {
  severity?: Severity | undefined;
  code?: string | undefined;
  page: number;
}

export const isBusy = (dataset: Dataset) => dataset.status === "uploaded" || dataset.status === "validating";

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
  /** What one chooses from: the newest of all. */
  choices: () => datasetQueries.list({ page: 1, page_size: CHOICES }),
  detail: (id: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "detail", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{id}`, { signal, params: { path: { id } } })),
      refetchInterval: ({ state }) => (state.data && isBusy(state.data) ? 1_000 : false),
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
  /** One page of rows. A version never changes, so what is here stays true. */
  rows: (id: number, page: number) =>
    queryOptions({
      queryKey: ["dataset-rows", id, page],
      queryFn: ({ signal }) => {
        const query = { offset: page * ROWS_A_PAGE, limit: ROWS_A_PAGE };
        return answer(api.GET(`${PATH}/{id}/preview`, { signal, params: { path: { id }, query } }));
      },
      staleTime: 60_000,
    }),
};

/** The number of the next row with this text behind `after`, from the end on from the first; null where there is none. */
export async function findRow(
  id: number,
  text: string,
  after: number,
  signal: AbortSignal,
  onScanned: (row: number) => void,
): Promise<number | null> {
  for (const [from, until] of [
    [after, Number.POSITIVE_INFINITY],
    [0, after],
  ] as const) {
    let at = from;
    while (at < until) {
      const params = { path: { id }, query: { text, after: at } };
      const found = await answer(api.GET(`${PATH}/{id}/rows/search`, { signal, params }));
      if (found.row !== null) return found.row;
      if (found.complete) break;
      at = found.scanned_to;
      onScanned(at);
    }
  }
  return null;
}

export function useValidateDataset(id: number) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const params = { path: { id }, query: { wait: 2 } };
      const outcome = await answerOrJob(api.POST(`${PATH}/{id}/validate`, { params, headers: idempotency() }));
      if ("job" in outcome) {
        await queryClient.invalidateQueries({ queryKey: datasetQueries.all() });
        await waitForJob(outcome.job);
      }
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}

export type RowsPatch = Omit<Schema<"RowsEdit">, "sha256">;

/** Saves edits as a new version. The version that was looked at is named, so that nothing else is changed by them. */
export function useEditRows(dataset: DatasetDetail) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (patch: RowsPatch): Promise<Derivation> => {
      const body = { ...patch, sha256: dataset.sha256 };
      const params = { path: { id: dataset.id }, query: { wait: 5 } };
      return finished(await answerOrJob(api.PATCH(`${PATH}/{id}/rows`, { params, body, headers: idempotency() })));
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}
