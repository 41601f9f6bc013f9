export interface KeyRow {
  key: string;
  /** One value for each recipe; undefined where it has none. */
  values: unknown[];
}

/** Every key in which some of the recipes differ, by key. A list counts as one value. */
export function differingKeys(recipes: readonly Record<string, unknown>[]): KeyRow[] {
  const flat = recipes.map((recipe) => new Map(flatten(recipe)));
  const keys = [...new Set(flat.flatMap((one) => [...one.keys()]))].sort();
  return keys
    .map((key) => ({ key, values: flat.map((one) => one.get(key)) }))
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

function flatten(value: Record<string, unknown>, prefix = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (inner === null) return [];
    const isSection = typeof inner === "object" && !Array.isArray(inner);
    return isSection ? flatten(inner as Record<string, unknown>, `${prefix}${key}.`) : [[`${prefix}${key}`, inner]];
  });
}
