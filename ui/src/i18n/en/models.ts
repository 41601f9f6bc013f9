/** Base models, registered versions, exports and their certificates. */
export const models = {
  title: "Models",
  description: "Base models on this machine, and the versions that were trained from them.",
  local: "Base models",
  localEmptyTitle: "The local store is empty",
  localEmptyText: "The bundled base model should be here; load a folder with `tunesmith models`.",
  name: "Name",
  architecture: "Architecture",
  parameters: "Parameters",
  size: "Size",
  lastUsed: "Last used",
  never: "Never",
  chat: "Chat",
  train: "Train",
} as const;

export const registry = {
  title: "Registered versions",
  emptyTitle: "No registered versions",
  emptyText: "A run whose recipe has a registry name ends here.",
  versionTitle: "Version",
  base: "Base model",
  size: "Size",
  fromRun: "From run {id}",
  card: "Model card",
  exports: "Exports",
  file: "File",
  checksum: "SHA-256",
  compare: "Compare with base",
  evaluations: "Evaluation",
  tags: "Tags",
} as const;

export const checks = {
  token_agreement: "Token agreement",
  mean_kl: "Mean KL divergence",
  max_kl: "Largest KL divergence",
  rendered_prompt: "Same rendered prompt",
  tokenization: "Same tokens",
  greedy_answers: "Same answers",
  stop_token: "Stops where the source stops",
  perplexity_difference: "Perplexity difference",
  prompts: "Prompts asked",
  file_intact: "File is intact",
} as const;
