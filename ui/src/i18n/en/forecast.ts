/** What is wrong with a run before it starts, by the code of the finding; its message has the figures. */
export const forecastFindings = {
  "memory-too-small": "It does not fit into memory",
  "memory-tight": "Memory will be tight",
  "disk-too-small": "The disk is too small",
  "one-process": "Measured with one process",
  "truncated-rows": "Rows are cut",
  "rows-without-target": "Rows without an answer to learn",
  "few-rows": "Few rows",
  "too-long": "Longer than a job may run",
  "few-updates": "Few updates",
  "rare-checkpoints": "Checkpoints are far apart",
  padding: "Much is padding",
  "no-evaluation": "Nothing is held out",
  "costly-evaluation": "Evaluating takes much of the time",
} as const;
