import { describe, expect, it } from "vitest";
import { differingKeys } from "./recipe-diff";

describe("where recipes differ", () => {
  it("names each key that differs with all values, and nothing else", () => {
    const one = { name: "a", training: { epochs: 3, betas: [1, 2] }, data: { test: null } };
    const other = { name: "a", training: { epochs: 5, betas: [1, 2], packing: true }, data: {} };
    expect(differingKeys([one, other, one])).toEqual([
      { key: "training.epochs", values: [3, 5, 3] },
      { key: "training.packing", values: [undefined, true, undefined] },
    ]);
  });
});
