import { describe, expect, it } from "vitest";
import { withLine, withPoint } from "./use-live-run";

describe("points of the curves as they come", () => {
  it("join what belongs to one step and stay in order", () => {
    let points = withPoint([], { step: 2, epoch: 0.2, values: { loss: 2 } });
    points = withPoint(points, { step: 1, values: { loss: 3 } });
    points = withPoint(points, { step: 2, values: { eval_loss: 2.5 } });
    expect(points.map(({ step, loss, eval_loss }) => [step, loss, eval_loss])).toEqual([
      [1, 3, null],
      [2, 2, 2.5],
    ]);
  });
});

describe("lines of the log as they come", () => {
  it("are taken once, whatever is sent again", () => {
    const once = withLine([], { level: "warning", message: "a" }, 7);
    expect(withLine(once, { message: "a" }, 7)).toBe(once);
    expect(once[0]).toMatchObject({ offset: 7, level: "warning", message: "a" });
  });
});
