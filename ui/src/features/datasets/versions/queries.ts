import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, answerOrJob, api, type Schema } from "@/api/client";
import { finished } from "@/api/jobs";
import { DATASETS, datasetQueries } from "@/features/datasets/queries";

export type DiffCounts = Schema<"DiffCounts">;
export type Version = Schema<"DatasetVersion">;
export type Lineage = Schema<"LineageResponse">;
export type LineageNode = Schema<"LineageNode">;
export type LineageEdge = Schema<"LineageEdge">;
export type RowDifference = Schema<"RowDifference">;

const VERSIONS_A_PAGE = 100;
export const DIFFS_A_PAGE = 10;

export const versionQueries = {
  list: (id: number, page: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "versions", id, page],
      queryFn: ({ signal }) =>
        answer(
          api.GET(`${DATASETS}/{id}/versions`, {
            signal,
            params: { path: { id }, query: { page, page_size: VERSIONS_A_PAGE } },
          }),
        ),
    }),
  lineage: (id: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "lineage", id],
      queryFn: ({ signal }) => answer(api.GET(`${DATASETS}/{id}/lineage`, { signal, params: { path: { id } } })),
    }),
  /** What differs on the way from `before` to `after`. */
  diff: (before: number, after: number, page: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "diff", before, after, page],
      queryFn: async ({ signal }) => {
        const query = { page, page_size: DIFFS_A_PAGE, wait: 10 };
        const params = { path: { id: before, other: after }, query };
        return finished(await answerOrJob(api.GET(`${DATASETS}/{id}/diff/{other}`, { signal, params })));
      },
      placeholderData: keepPreviousData,
      staleTime: 60_000,
    }),
};

export type VersionAction = "archive" | "restore" | "purge";

export function useVersionAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, action }: { id: number; action: VersionAction }): Promise<void> => {
      const init = { params: { path: { id } } };
      if (action === "archive") await answer(api.DELETE(`${DATASETS}/{id}`, init));
      else if (action === "restore") await answer(api.POST(`${DATASETS}/{id}/restore`, init));
      else await answer(api.POST(`${DATASETS}/{id}/purge`, init));
    },
    onSettled: () => client.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}
