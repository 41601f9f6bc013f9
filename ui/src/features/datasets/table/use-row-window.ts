import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { datasetQueries, type PreviewRow, ROWS_A_PAGE } from "@/features/datasets/queries";
import { useThrottled } from "@/hooks/use-throttled";
import type { RowRange } from "@/lib/virtual-scroll";
import { pagesOf, pagesToDrop } from "./row-window";

/** Loads a little farther than one sees, so that turning the wheel rarely meets an empty row. */
const AHEAD_ROWS = 40;
const ASK_EVERY_MS = 120;

export interface RowWindow {
  /** Undefined while the row is on its way. */
  rowAt: (index: number) => PreviewRow | undefined;
  error: unknown;
  retry: () => void;
}

/** The rows around those in sight. While one pulls at the scroll bar, pages passed by are not asked for. */
export function useRowWindow(id: number, total: number, range: RowRange): RowWindow {
  const client = useQueryClient();
  const wide = { first: Math.max(0, range.first - AHEAD_ROWS), end: Math.min(total, range.end + AHEAD_ROWS) };
  const wanted = useThrottled(pagesOf(wide).join(), ASK_EVERY_MS);
  const pages = wanted === "" ? [] : wanted.split(",").map(Number);
  const asked = useQueries({ queries: pages.map((page) => datasetQueries.rows(id, page)) });

  useEffect(() => {
    const shown = wanted === "" ? [] : wanted.split(",").map(Number);
    const kept = client.getQueryCache().findAll({ queryKey: datasetQueries.rows(id, 0).queryKey.slice(0, -1) });
    const numbers = kept.map((query) => Number(query.queryKey.at(-1)));
    for (const page of pagesToDrop(numbers, shown)) {
      client.removeQueries({ queryKey: datasetQueries.rows(id, page).queryKey, exact: true });
    }
  }, [client, id, wanted]);

  const loaded = new Map(pages.map((page, place) => [page, asked[place]?.data]));
  const failed = asked.find((query) => query.isError);
  return {
    rowAt: (index) => {
      const number = Math.floor(index / ROWS_A_PAGE);
      const page = loaded.get(number) ?? client.getQueryData(datasetQueries.rows(id, number).queryKey);
      return page?.rows[index % ROWS_A_PAGE];
    },
    error: failed?.error,
    retry: () => {
      for (const query of asked) if (query.isError) void query.refetch();
    },
  };
}
