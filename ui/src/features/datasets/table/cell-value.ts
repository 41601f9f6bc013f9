/** A text is edited as it is; anything else as JSON, so that 3 stays a number and [] a list. */
export function showValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

export function readValue(text: string, before: unknown): { isWrong: boolean; value?: unknown } {
  if (typeof before === "string" || before === undefined || before === null) {
    return { isWrong: false, value: text === "" && typeof before !== "string" ? before : text };
  }
  try {
    return { isWrong: false, value: JSON.parse(text) };
  } catch {
    return { isWrong: true };
  }
}
