/** What surrounds every page. */
export const nav = {
  label: "Main",
  home: "Home",
  data: "Data",
  train: "Train",
  runs: "Runs",
  models: "Models",
  chat: "Chat",
  jobs: "Jobs",
  system: "System",
} as const;

export const shell = {
  skip: "Skip to content",
  language: "Language",
  theme: "Theme",
  light: "Light",
  dark: "Dark",
  system: "As the system",
  serverWell: "Server ready",
  serverAway: "Server does not answer",
  serverAsking: "Asking the server",
  notFoundTitle: "This page does not exist",
  notFoundText: "The address may be old or mistyped.",
  toHome: "Go to Home",
  failureTitle: "This page could not be shown",
} as const;

export const common = {
  hint: "What to do:",
  requestId: "Request",
  tryAgain: "Try again",
  cancel: "Cancel",
  created: "Created",
  pages: "Pages",
  previous: "Previous",
  next: "Next",
  range: "{first}–{last} of {total}",
  copy: "Copy",
  copied: "Copied",
  copyCode: "Copy the code",
  optional: "optional",
  stop: "Stop",
  timeLeft: "{time} left",
} as const;
