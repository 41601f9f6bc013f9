import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answerOrJob, api, type Schema } from "@/api/client";
import { finished } from "@/api/jobs";
import { DATASETS, datasetQueries } from "@/features/datasets/queries";
import { STOPS } from "./stops";

export type TokenAnalysis = Schema<"TokenAnalysis">;
export type PackedAtLength = Schema<"PackedAtLength">;
export type TextTokens = Schema<"TextTokens">;

const BARS = 60;

export const tokenQueries = {
  analysis: (id: number, model: string) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "tokens", id, model],
      queryFn: async ({ signal }) => {
        const params = { path: { id }, query: { wait: 20 } };
        const body = { model, lengths: STOPS, bins: BARS, epochs: 1, log: false };
        return finished(await answerOrJob(api.POST(`${DATASETS}/{id}/analyze-tokens`, { signal, params, body })));
      },
      staleTime: Number.POSITIVE_INFINITY,
      placeholderData: keepPreviousData,
    }),
};
