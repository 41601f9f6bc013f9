import { describe, expect, it } from "vitest";
import { overlay } from "./overlay";

describe("curves over each other", () => {
  it("stand on the union of their steps, with gaps where one has no point", () => {
    const long = { steps: [1, 2, 4], values: [3, 2, 0] };
    const short = { steps: [2, 3], values: [5, null] };
    expect(overlay([long, short])).toEqual({
      steps: [1, 2, 3, 4],
      values: [
        [3, 2, null, 0],
        [null, 5, null, null],
      ],
    });
  });
});
