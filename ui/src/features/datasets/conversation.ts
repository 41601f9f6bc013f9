export interface Turn {
  role: string;
  text: string;
}

/** Reads a row of any of the known formats as turns; null where it is none of them (a broken row, for example). */
export function toConversation(data: unknown): Turn[] | null {
  if (typeof data !== "object" || data === null) return null;
  const row = data as Record<string, unknown>;
  if (Array.isArray(row.messages)) {
    const turns = row.messages.map(toTurn);
    return turns.every((turn) => turn !== null) ? turns : null;
  }
  if (typeof row.instruction === "string" && typeof row.output === "string") {
    const question = [row.instruction, row.input]
      .filter((part) => typeof part === "string" && part !== "")
      .join("\n\n");
    return [
      { role: "user", text: question },
      { role: "assistant", text: row.output },
    ];
  }
  if (typeof row.prompt === "string" && typeof row.completion === "string") {
    return [
      { role: "user", text: row.prompt },
      { role: "assistant", text: row.completion },
    ];
  }
  return null;
}

function toTurn(message: unknown): Turn | null {
  if (typeof message !== "object" || message === null) return null;
  const { role, content } = message as Record<string, unknown>;
  return typeof role === "string" && typeof content === "string" ? { role, text: content } : null;
}
