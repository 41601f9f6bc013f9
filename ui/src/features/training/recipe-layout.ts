import { leaves, type SchemaField } from "@/lib/schema-fields";

/** What most people change. Everything else of the schema is under "All settings", new fields too. */
const ESSENTIAL = [
  "name",
  "training.epochs",
  "training.learning_rate",
  "training.batch_size",
  "method.lora.r",
  "register.name",
];
/** Chosen from lists that the server gives, above the form. */
const CHOSEN = new Set(["data.train", "model.base", "method.objective", "method.adapter"]);

export interface Layout {
  essential: SchemaField[];
  groups: { name: string; field: SchemaField; fields: SchemaField[] }[];
}

export function layOut(fields: SchemaField[]): Layout {
  const all = leaves(fields);
  const essential = ESSENTIAL.flatMap((path) => all.find((field) => field.path.join(".") === path) ?? []);
  const taken = new Set([...ESSENTIAL, ...CHOSEN]);
  const groups = fields.flatMap((field) => {
    const rest = leaves([field]).filter((leaf) => !taken.has(leaf.path.join(".")));
    return rest.length > 0 ? [{ name: field.path.join("."), field, fields: rest }] : [];
  });
  return { essential, groups };
}

/** What is wrong at one key; `reason` and `allowed` are there to say it in the reader's language. */
export interface RecipeFault {
  location: string;
  message: string;
  reason?: string;
  allowed?: string | null;
}

/** Before any data is chosen, what is missing is the next step and no mistake. */
export function isUnstarted(errors: readonly RecipeFault[]): boolean {
  return (
    errors.some((error) => normalise(error.location) === "data.train") &&
    errors.every((error) => error.reason === "missing")
  );
}

/** Faults by the path of their field; those that belong to no field apart. */
export function faultsByField(
  errors: readonly RecipeFault[],
  fields: SchemaField[],
  say: (fault: RecipeFault) => string,
): { byField: Map<string, string>; other: { location: string; message: string }[] } {
  const known = new Set(leaves(fields).map((field) => field.path.join(".")));
  const byField = new Map<string, string>();
  const other: { location: string; message: string }[] = [];
  for (const error of errors) {
    const path = normalise(error.location);
    const owner = known.has(path) || [...known].some((name) => path.startsWith(`${name}.`));
    if (owner) byField.set(path, say(error));
    else other.push({ location: path, message: say(error) });
  }
  return { byField, other };
}

/** `recipe.export[0].method` → `export.0.method`. */
export function normalise(location: string): string {
  return location
    .replace(/\[(\d+)\]/g, ".$1")
    .replace(/^\/|^\$\.?|^(body|recipe)\./g, "")
    .replace(/^(body|recipe)\./, "")
    .replaceAll("/", ".");
}
