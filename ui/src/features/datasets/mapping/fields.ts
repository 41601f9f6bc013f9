import type { DatasetDetail } from "@/features/datasets/queries";

export type Format = DatasetDetail["format"];

/** The fields of each format: those that a row must have, then those that it may have. */
export const FIELDS: Record<Format, { required: readonly string[]; optional: readonly string[] }> = {
  messages: { required: ["messages"], optional: ["tools"] },
  alpaca: { required: ["instruction", "output"], optional: ["input", "system", "history"] },
  prompt_completion: { required: ["prompt", "completion"], optional: ["system"] },
  sharegpt: { required: ["conversations"], optional: ["system", "tools"] },
  preference: { required: ["chosen", "rejected"], optional: ["prompt", "system"] },
  kto: { required: ["prompt", "completion", "label"], optional: ["system"] },
  text: { required: ["text"], optional: [] },
  qa: { required: ["question", "answer"], optional: ["context", "system"] },
};
/** Where a file's columns tell nothing: what most people have. */
export const UNKNOWN: Format = "qa";
export const FORMATS = Object.keys(FIELDS) as Format[];

/** Column → field. A column that is not in it stays as it is. */
export type Mapping = Record<string, string>;

export const fieldsOf = (format: Format) => [...FIELDS[format].required, ...FIELDS[format].optional];

/** Only the fields of the format count; what was mapped to another is let go. */
export function forFormat(mapping: Mapping, format: Format): Mapping {
  const known = new Set(fieldsOf(format));
  return Object.fromEntries(Object.entries(mapping).filter(([, field]) => known.has(field)));
}

/** The required fields that no column gives yet. A column of that very name gives it by itself. */
export function missingFields(columns: readonly string[], mapping: Mapping, format: Format): string[] {
  const given = new Set(columns.map((column) => mapping[column] ?? column));
  return FIELDS[format].required.filter((field) => !given.has(field));
}

/** A row under the names of the format. Texts of several columns that become one field are joined by a blank line. */
export function mapped(row: Record<string, unknown>, mapping: Mapping): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) {
    const field = mapping[column] ?? column;
    const before = made[field];
    made[field] =
      typeof before === "string" && typeof value === "string" ? [before, value].filter(Boolean).join("\n\n") : value;
  }
  return made;
}
