import { expect, it } from "vitest";
import { valueAt } from "./metrics";
import { withPoint } from "./use-live-run";

it("reads what an objective measures from the API and from events alike", () => {
  const [point] = withPoint([], { step: 3, values: { loss: 0.6, accuracy: 0.75 } });
  if (!point) throw new Error("no point");
  expect(valueAt(point, "accuracy")).toBe(0.75);
  expect(valueAt({ ...point, figures: { eval_margin: 1.5 } }, "eval_margin")).toBe(1.5);
  expect(valueAt(point, "kl")).toBeNull();
});
