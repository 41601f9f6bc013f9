export const PARTS = ["train", "validation", "test"] as const;
export type Part = (typeof PARTS)[number];
export type Percents = Record<Part, number>;

/** Rounded to what a person typed, so that 33.3 + 33.3 + 33.4 make 100. */
export const sumOf = (percents: Percents) =>
  Math.round(PARTS.reduce((total, part) => total + percents[part], 0) * 1_000) / 1_000;
