import type { Metrics } from "./queries";

/** What is measured at a step: what every run has, then what single objectives measure besides. */
export type MetricName = keyof typeof COLORS;

/** Which measures share a chart, the first naming it, and whether they jump about so much that smoothing helps. */
export const CHARTS: { metrics: MetricName[]; smoothed: boolean }[] = [
  { metrics: ["loss", "eval_loss"], smoothed: true },
  { metrics: ["accuracy", "eval_accuracy"], smoothed: true },
  { metrics: ["margin", "eval_margin"], smoothed: true },
  { metrics: ["reward", "eval_reward"], smoothed: true },
  { metrics: ["reward_good", "reward_bad"], smoothed: true },
  { metrics: ["kl"], smoothed: true },
  { metrics: ["learning_rate"], smoothed: false },
  { metrics: ["grad_norm"], smoothed: true },
  { metrics: ["tokens_per_second"], smoothed: true },
  { metrics: ["memory_gb"], smoothed: false },
];

export const COLORS = {
  loss: "--accent",
  eval_loss: "--amber",
  accuracy: "--accent",
  eval_accuracy: "--amber",
  margin: "--accent",
  eval_margin: "--amber",
  reward: "--accent",
  eval_reward: "--amber",
  reward_good: "--green",
  reward_bad: "--red",
  kl: "--blue",
  learning_rate: "--blue",
  grad_norm: "--blue",
  tokens_per_second: "--green",
  memory_gb: "--ink-soft",
} as const;

/** Measured now and then only: dots rather than a line. */
export const isSparse = (name: MetricName) => name.startsWith("eval_");

/** The value at a point. The API keeps what objectives measure apart; events bring everything side by side. */
export function valueAt(point: Metrics, name: MetricName): number | null {
  const value = (point as Partial<Record<MetricName, unknown>>)[name] ?? point.figures?.[name];
  return typeof value === "number" ? value : null;
}
