import { expect, it } from "vitest";
import { tick } from "./tick";

it.each([
  [[0, 2.5, 5, 7.5], 2.5, ["0.0", "2.5", "5.0", "7.5"]],
  [[1.25, 1.5, 1.75], 0.25, ["1.25", "1.50", "1.75"]],
  [[0, 500, 1000], 500, ["0", "500", "1000"]],
  [[0.3, 0.4], 0.1, ["0.3", "0.4"]],
])("tells ticks apart: %j", (values, step, shown) => {
  expect(values.map((value) => tick(value, step))).toEqual(shown);
});

it("writes small values by their power of ten", () => {
  expect(tick(0.0002, 0.0001)).toBe("2e-4");
});
