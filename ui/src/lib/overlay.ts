export interface Curve {
  steps: number[];
  values: (number | null)[];
}

/** Several curves on the union of their steps, so that one chart can show them all; a step that one has not is a gap. */
export function overlay(curves: readonly Curve[]): { steps: number[]; values: (number | null)[][] } {
  const steps = [...new Set(curves.flatMap((curve) => curve.steps))].sort((one, other) => one - other);
  const values = curves.map((curve) => {
    const at = new Map(curve.steps.map((step, place) => [step, curve.values[place] ?? null]));
    return steps.map((step) => at.get(step) ?? null);
  });
  return { steps, values };
}
