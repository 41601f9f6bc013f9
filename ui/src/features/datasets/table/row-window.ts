import { ROWS_A_PAGE } from "@/features/datasets/queries";
import type { RowRange } from "@/lib/virtual-scroll";

/** Rows come in pages; only some pages are kept, so that a million rows cost no more memory than a thousand. */
export const PAGES_KEPT = 12;

/** The pages that a range of rows lies on. */
export function pagesOf({ first, end }: RowRange, pageSize = ROWS_A_PAGE): number[] {
  if (end <= first) return [];
  const from = Math.floor(first / pageSize);
  const to = Math.floor((end - 1) / pageSize);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Which of the pages that are kept can go: the farthest from what is shown, until no more than `most` are left. */
export function pagesToDrop(kept: readonly number[], shown: readonly number[], most = PAGES_KEPT): number[] {
  const [nearest = 0] = shown;
  const last = shown.at(-1) ?? nearest;
  const distance = (page: number) => Math.max(nearest - page, page - last, 0);
  const others = kept.filter((page) => distance(page) > 0).sort((one, other) => distance(one) - distance(other));
  const room = Math.max(0, most - (kept.length - others.length));
  return others.slice(room);
}
