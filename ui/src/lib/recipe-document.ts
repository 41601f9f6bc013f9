import { isMap, LineCounter, parseDocument } from "yaml";

export interface ParsedRecipe {
  /** The recipe as plain values; null where the text is no YAML mapping. */
  value: Record<string, unknown> | null;
  problem: { line: number; message: string } | null;
}

export function parseRecipe(text: string): ParsedRecipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fault = document.errors[0];
  if (fault) {
    return { value: null, problem: { line: lines.linePos(fault.pos[0]).line, message: fault.message } };
  }
  const value: unknown = document.toJS();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { value: null, problem: { line: 1, message: "A recipe is a mapping: name: …, model: …, data: …" } };
  }
  return { value: value as Record<string, unknown>, problem: null };
}

/** The text with one value changed; comments and the order of the rest stay. Undefined takes the value out. */
export function withValue(text: string, path: readonly string[], value: unknown): string {
  const document = parseDocument(text);
  if (document.errors.length > 0) return text;
  if (value === undefined) {
    document.deleteIn(path);
    dropEmptyParents(document, path);
  } else {
    for (let depth = 1; depth < path.length; depth += 1) {
      const parent = path.slice(0, depth);
      if (document.hasIn(parent) && !isMap(document.getIn(parent))) document.setIn(parent, document.createNode({}));
    }
    document.setIn(path, typeof value === "object" ? document.createNode(value) : value);
  }
  return document.toString({ lineWidth: 0 });
}

function dropEmptyParents(document: ReturnType<typeof parseDocument>, path: readonly string[]) {
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const parent = path.slice(0, depth);
    const node = document.getIn(parent);
    if (!isMap(node) || node.items.length > 0) return;
    document.deleteIn(parent);
  }
}

/** The line on which a value stands; its nearest parent's where it is missing. */
export function lineOf(text: string, path: readonly string[]): number | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  for (let depth = path.length; depth > 0; depth -= 1) {
    const key = path.slice(0, depth).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    const node = document.getIn(key, true) as { range?: [number, number, number] | null } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}

export function valueAt(value: unknown, path: readonly string[]): unknown {
  let node = value;
  for (const part of path) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string, unknown>)[part];
  }
  return node;
}
