/** Files on their way to the server, and what their columns are. */
export const upload = {
  dropTitle: "Drop data files here",
  dropText:
    "CSV, TSV, JSON, JSONL or Parquet, also as gzip, zstd or zip. Any size; large files go on after a break. They stay on this machine.",
  pick: "Choose files",
  send: "Upload",
  sendMany: "Upload {count} files",
  part: "{sent} of {size} ({share})",
  hold: "Pause",
  goOn: "Continue",
  open: "Open",
  map: "Match the columns",
  takeAway: "Take off the list",
  chooseAgain: "This file was only half sent. Choose or drop it again to continue from where it stopped.",
  asVersion: "Add as version {version} of {name}",
  stages: {
    waiting: "Waiting its turn",
    sending: "Sending",
    paused: "Paused",
    reconnecting: "Connection lost, trying again",
    "file-needed": "Interrupted",
    making: "Reading the file",
    mapping: "Its columns need to be matched",
    done: "Done",
  },
} as const;

export const mapping = {
  arrivalTitle: "What are these columns?",
  arrivalText:
    "The file has arrived. Say which column holds what, look at the rows on the right, then make the dataset.",
  columnsTitle: "Columns",
  columnsText: "A proposal from the names and values; change what is wrong. Fields with * are required.",
  format: "Kind of rows",
  fieldFor: "Field for the column {column}",
  unused: "Not used",
  missing: "Still missing: {fields}",
  complete: "Every required field has a column.",
  sampleTitle: "How the rows will read",
  sampleText: "The first rows under this mapping.",
  noSample: "There are no rows to show.",
  unreadable: "Not readable as this kind of row yet",
  make: "Make the dataset",
  apply: "Read the file this way",
  applyText: "The file stays as it is; its rows are read anew and checked again.",
  useProposal: "Use the proposal",
  formatTexts: {
    messages: "A list of turns with role and content.",
    alpaca: "An instruction, perhaps an input, and the output.",
    prompt_completion: "A prompt and what should follow it.",
    sharegpt: "A list of turns with from and value.",
    preference: "A preferred and a rejected answer, for preference training.",
    kto: "A prompt, an answer, and whether it is good.",
    text: "Plain text to go on learning from.",
    qa: "A question and its answer.",
  },
} as const;

export const formats = {
  messages: "Conversations (messages)",
  alpaca: "Instructions (Alpaca)",
  prompt_completion: "Prompt and completion",
  sharegpt: "Conversations (ShareGPT)",
  preference: "Preference pairs",
  kto: "Labelled answers (KTO)",
  text: "Plain text",
  qa: "Question and answer",
} as const;
