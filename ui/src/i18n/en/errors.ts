/** What went wrong, where the server cannot say it. */
export const errors = {
  titles: {
    GPU_ERROR: "The device failed or ran out of memory",
    DATASET_ERROR: "The data could not be used",
    CONFIGURATION_ERROR: "The settings do not fit",
    CHECKPOINT_ERROR: "A checkpoint could not be used",
    ENGINE_ERROR: "The training engine failed",
    NETWORK_ERROR: "The network failed",
    DISK_ERROR: "The disk failed or is full",
    UNKNOWN_ERROR: "The run failed",
    unreachable: "The server does not answer",
    unexpected: "Something went wrong on this page",
  },
  hints: {
    unreachable: "Check that Tunesmith is running (`tunesmith serve`) and that you are on its network, then try again.",
    unexpected: "Reload the page. If it happens again, report it with what you did.",
  },
} as const;
