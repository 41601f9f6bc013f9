import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { callJob } from "@/api/call";
import { waitForResult } from "@/api/jobs";
import { DATASETS, datasetQueries } from "@/features/datasets/queries";

export type XrayFilter = "untrained" | "truncated" | "no-end";

export interface XrayToken {
  id: number;
  text: string;
  start: number;
  end: number;
  trained: boolean;
}
export interface XrayRow {
  row: number;
  line: number | null;
  text: string;
  tokens: XrayToken[];
  trained_tokens: number;
  total_tokens: number;
  truncated: boolean;
  end_of_turn_trained: boolean | null;
  error?: string | null;
}
export interface Xray {
  tokenizer: string;
  total: number;
  rows: XrayRow[];
  counts: {
    rows: number;
    no_loss: number;
    end_untrained: number;
    truncated_answers: number;
    too_long: number;
    trained_tokens: number;
    total_tokens: number;
  } | null;
}

export interface XrayAsk {
  model: string;
  max_length?: number | undefined;
  offset: number;
  only?: XrayFilter | undefined;
}

export const XRAY_ROWS = 8;

export const xrayQueries = {
  rows: (id: number, ask: XrayAsk) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "xray", id, ask],
      queryFn: async ({ signal }) => {
        const body = { ...ask, limit: XRAY_ROWS };
        const outcome = await callJob<Xray>("POST", `${DATASETS}/${id}/xray`, { body, query: { wait: 20 }, signal });
        return "done" in outcome ? outcome.done : waitForResult<Xray>(outcome.job);
      },
      staleTime: 60_000,
      placeholderData: keepPreviousData,
    }),
};
