/** States and kinds of work, as the server names them. */
export const states = {
  uploaded: "Uploaded",
  validating: "Checking",
  ready: "Ready",
  invalid: "Has faults",
  archived: "Archived",
  pending: "Waiting",
  running: "Running",
  completed: "Completed",
  failed: "Failed",
  stopped: "Stopped",
  stopping: "Stopping",
  waiting: "Waiting",
  queued: "Queued",
  succeeded: "Done",
  cancelled: "Cancelled",
  staging: "Staging",
  production: "Production",
  "role-system": "System",
  "role-user": "Question",
  "role-assistant": "Answer",
} as const;

export const kinds = {
  train: "Train",
  evaluate: "Evaluate",
  register: "Register",
  export: "Export",
  validate: "Check",
  split: "Split",
} as const;
