/** A tick of an axis with as many digits as its step has: 2.5, 1.75, 2e-4, 2100. */
export function tick(value: number, step: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return Number(value.toPrecision(3)).toExponential();
  const digits = [0, 1, 2, 3, 4, 5].find((count) => isWhole(step * 10 ** count)) ?? 6;
  return value.toFixed(digits);
}

const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 1e-6;
