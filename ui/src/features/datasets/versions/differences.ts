import { pointerOf } from "@/lib/json-pointer";

export interface FieldDifference {
  pointer: string;
  /** Null where there is nothing. */
  before: string | null;
  after: string | null;
}

/** The places inside two rows that differ, as deep as both have the same shape. */
export function fieldsThatDiffer(before: unknown, after: unknown): FieldDifference[] {
  return differences(before ?? undefined, after ?? undefined, "");
}

function differences(before: unknown, after: unknown, pointer: string): FieldDifference[] {
  if (isSame(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => differences(item, after[index], pointer + pointerOf(index)));
  }
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differences(before[name], after[name], pointer + pointerOf(name)));
  }
  return [{ pointer, before: shown(before), after: shown(after) }];
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function shown(value: unknown): string | null {
  if (value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
