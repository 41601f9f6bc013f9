/** The parts of JSON Schema that the recipe uses. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

interface Common {
  /** Names from the root: `["training", "learning_rate"]`. */
  path: string[];
  title: string;
  description: string;
  default: unknown;
  required: boolean;
  /** The value may be left out; an empty control means that it is. */
  nullable: boolean;
}

export type SchemaField =
  | (Common & { kind: "section"; fields: SchemaField[] })
  | (Common & { kind: "number"; integer: boolean; minimum?: number; maximum?: number; open: boolean })
  | (Common & { kind: "boolean" })
  | (Common & { kind: "choice"; options: string[] })
  | (Common & { kind: "text"; maxLength?: number })
  | (Common & { kind: "words"; words: string[] })
  | (Common & { kind: "items"; item: SchemaField[] });

/** Reads a JSON Schema as the fields of a form, in the order of the schema. What a form cannot show is left out. */
export function readFields(schema: JsonSchema): SchemaField[] {
  return readProperties(schema, schema, []);
}

/** Every field that holds a value, sections opened. */
export function leaves(fields: SchemaField[]): SchemaField[] {
  return fields.flatMap((field) => (field.kind === "section" ? leaves(field.fields) : [field]));
}

function readProperties(schema: JsonSchema, root: JsonSchema, path: string[]): SchemaField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const required = schema.required?.includes(name) ?? false;
    const field = readField(property, root, [...path, name], required);
    return field ? [field] : [];
  });
}

function readField(given: JsonSchema, root: JsonSchema, path: string[], required: boolean): SchemaField | null {
  const merged = resolve(given, root);
  const branches = (merged.anyOf ?? merged.oneOf ?? [merged]).map((branch) => resolve(branch, root));
  const real = branches.filter((branch) => branch.type !== "null");
  const nullable = real.length < branches.length;
  const first = real[0];
  if (!first || merged.const !== undefined) return null;
  const common: Common = {
    path,
    title: merged.title ?? first.title ?? path.at(-1) ?? "",
    description: merged.description ?? first.description ?? "",
    default: merged.default,
    required,
    nullable,
  };
  const list = real.find((branch) => branch.type === "array");
  if (list) return readList(list, real, root, common);
  if (first.properties) return { ...common, kind: "section", fields: readProperties(first, root, path) };
  if (first.enum) return { ...common, kind: "choice", options: first.enum.map(String) };
  switch (first.type) {
    case "number":
    case "integer": {
      const minimum = first.minimum ?? first.exclusiveMinimum;
      const maximum = first.maximum ?? first.exclusiveMaximum;
      return {
        ...common,
        kind: "number",
        integer: first.type === "integer",
        open: first.exclusiveMinimum !== undefined,
        ...(minimum !== undefined && { minimum }),
        ...(maximum !== undefined && { maximum }),
      };
    }
    case "boolean":
      return { ...common, kind: "boolean" };
    case "string":
      return { ...common, kind: "text", ...(first.maxLength !== undefined && { maxLength: first.maxLength }) };
    default:
      return null;
  }
}

function readList(list: JsonSchema, branches: JsonSchema[], root: JsonSchema, common: Common): SchemaField | null {
  const item = list.items ? resolve(list.items, root) : {};
  if (item.properties) return { ...common, kind: "items", item: readProperties(item, root, []) };
  if (item.type !== "string") return null;
  const words = branches.flatMap((branch) => branch.enum ?? (branch.const === undefined ? [] : [branch.const]));
  return { ...common, kind: "words", words: words.map(String) };
}

/** Follows `$ref` and a single `allOf`; what stands beside the reference (title, description, default) wins. */
function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const only = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  if (only) {
    const { allOf: _, ...beside } = schema;
    return { ...resolve(only, root), ...beside };
  }
  if (!schema.$ref) return schema;
  const name = schema.$ref.split("/").at(-1) ?? "";
  const { $ref: _, ...beside } = schema;
  const target = root.$defs?.[name];
  return { ...(target ? resolve(target, root) : {}), ...beside };
}
