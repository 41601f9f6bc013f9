import { describe, expect, it } from "vitest";
import { pagesOf, pagesToDrop } from "./row-window";

describe("the pages that are kept", () => {
  it("asks for the pages that the rows in sight lie on, and no other", () => {
    expect(pagesOf({ first: 0, end: 20 }, 100)).toEqual([0]);
    expect(pagesOf({ first: 90, end: 110 }, 100)).toEqual([0, 1]);
    expect(pagesOf({ first: 100, end: 200 }, 100)).toEqual([1]);
    expect(pagesOf({ first: 999_980, end: 1_000_000 }, 100)).toEqual([9_999]);
    expect(pagesOf({ first: 0, end: 0 }, 100)).toEqual([]);
  });

  it("stays within its bound however far one scrolls", () => {
    let kept: number[] = [];
    for (let row = 0; row < 1_000_000; row += 777) {
      const shown = pagesOf({ first: row, end: row + 30 }, 100);
      kept = [...new Set([...kept, ...shown])];
      const dropped = new Set(pagesToDrop(kept, shown, 12));
      kept = kept.filter((page) => !dropped.has(page));
      expect(kept.length).toBeLessThanOrEqual(12);
      for (const page of shown) expect(kept).toContain(page);
    }
  });

  it("drops the farthest first", () => {
    expect(pagesToDrop([1, 2, 3, 50, 9], [2, 3], 4)).toEqual([50]);
    expect(pagesToDrop([1, 2, 3], [2, 3], 4)).toEqual([]);
  });
});
