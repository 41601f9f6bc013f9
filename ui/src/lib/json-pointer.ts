/** RFC 6901: `/messages/1/content` names one value inside another. */
export function pointerOf(...parts: (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function partsOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function valueAtPointer(data: unknown, pointer: string): unknown {
  return partsOf(pointer).reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[part] : undefined,
    data,
  );
}

/** The same data with one value changed; what is not on the way to it stays the same object. */
export function withValueAt(data: unknown, pointer: string, value: unknown): unknown {
  return replace(data, partsOf(pointer), value);
}

function replace(data: unknown, [part, ...rest]: string[], value: unknown): unknown {
  if (part === undefined) return value;
  if (Array.isArray(data))
    return data.map((item, index) => (String(index) === part ? replace(item, rest, value) : item));
  const old = typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
  return { ...old, [part]: replace(old[part], rest, value) };
}
