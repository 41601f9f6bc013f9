import { queryOptions } from "@tanstack/react-query";
import { answerOrJob, api, type Schema } from "@/api/client";
import { finished } from "@/api/jobs";
import { DATASETS, datasetQueries } from "@/features/datasets/queries";

export type ColumnStatistics = Schema<"ColumnStatistics">;
export type Correlation = Schema<"EdaCorrelation">;
export type ExplorationWarning = Schema<"ExplorationWarning">;
export type HistogramShape = Schema<"Histogram">;
export type LengthSummary = Schema<"LengthSummary">;
export type Missing = Schema<"EdaMissing">;

const WAIT_SECONDS = 20;
const FOREVER = Number.POSITIVE_INFINITY;

/** What one pass over the rows says. A version never changes, so an answer stays true. */
export const exploreQueries = {
  all: (id: number) => [...datasetQueries.all(), "eda", id] as const,
  summary: (id: number) =>
    queryOptions({
      queryKey: [...exploreQueries.all(id), "summary"],
      queryFn: async ({ signal }) => {
        const params = { path: { id }, query: { wait: WAIT_SECONDS } };
        return finished(await answerOrJob(api.GET(`${DATASETS}/{id}/eda/summary`, { signal, params })));
      },
      staleTime: FOREVER,
    }),
  distribution: (id: number, column: string) =>
    queryOptions({
      queryKey: [...exploreQueries.all(id), "value-distribution", column],
      queryFn: async ({ signal }) => {
        const params = { path: { id }, query: { column, bins: 40, top: 12, wait: WAIT_SECONDS } };
        return finished(await answerOrJob(api.GET(`${DATASETS}/{id}/eda/value-distribution`, { signal, params })));
      },
      staleTime: FOREVER,
    }),
  correlation: (id: number, method: Correlation["method"]) =>
    queryOptions({
      queryKey: [...exploreQueries.all(id), "correlation", method],
      queryFn: async ({ signal }) => {
        const params = { path: { id }, query: { method, wait: WAIT_SECONDS } };
        return finished(await answerOrJob(api.GET(`${DATASETS}/{id}/eda/correlation`, { signal, params })));
      },
      staleTime: FOREVER,
    }),
};
