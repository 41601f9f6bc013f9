import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "@/api/client";
import { DATASETS, datasetQueries } from "@/features/datasets/queries";

export type QualityLog = Schema<"QualityLog">;

export const qualityQueries = {
  history: (id: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "quality", id],
      queryFn: ({ signal }) =>
        answer(
          api.GET(`${DATASETS}/{id}/quality`, {
            signal,
            params: { path: { id }, query: { page: 1, page_size: 100 } },
          }),
        ),
    }),
};
