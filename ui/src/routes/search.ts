/** Reads of search parameters: an address that someone typed wrongly is read as if the part were not there. */
export function readPage(value: unknown): number | undefined {
  const page = Number(value);
  return Number.isInteger(page) && page > 1 ? page : undefined;
}

export function readText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function readOneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

export function readId(value: unknown): number | undefined {
  const id = Number(value);
  return Number.isInteger(id) && id > 0 ? id : undefined;
}

/** `1,2,3`: ids in one parameter; what is no id is left out. */
export function readIds(value: unknown): string | undefined {
  const ids = String(value ?? "")
    .split(",")
    .map(readId)
    .filter((id) => id !== undefined);
  return ids.length > 0 ? [...new Set(ids)].join(",") : undefined;
}
