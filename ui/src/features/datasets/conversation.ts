export interface Turn {
  role: string;
  text: string;
}

type Row = Record<string, unknown>;

/** Reads a row of any of the known formats as turns; null where it is none of them (a broken row, for example). */
export function toConversation(data: unknown): Turn[] | null {
  if (typeof data !== "object" || data === null) return null;
  const row = data as Row;
  const turns = body(row);
  if (!turns) return null;
  const system = text(row.system);
  return system && turns[0]?.role !== "system" ? [{ role: "system", text: system }, ...turns] : turns;
}

function body(row: Row): Turn[] | null {
  if (Array.isArray(row.messages)) return turnsOf(row.messages);
  if (Array.isArray(row.conversations)) return turnsOf(row.conversations);
  const [chosen, rejected] = [sideOf(row.chosen, "chosen"), sideOf(row.rejected, "rejected")];
  if (chosen && rejected) return [...(sideOf(row.prompt, "user") ?? []), ...chosen, ...rejected];
  for (const [question, context, answer] of [
    ["instruction", "input", "output"],
    ["question", "context", "answer"],
    ["prompt", "", "completion"],
  ] as const) {
    const asked = sideOf(row[question], "user");
    const said = sideOf(row[answer], "assistant");
    if (asked && said) {
      const beside = text(row[context]);
      const [last] = asked.slice(-1);
      if (beside && last) last.text = `${last.text}\n\n${beside}`;
      return [...asked, ...said];
    }
  }
  const plain = text(row.text);
  return plain === null ? null : [{ role: "text", text: plain }];
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);

/** A side of a row is a text, or turns of its own. */
function sideOf(value: unknown, role: string): Turn[] | null {
  if (typeof value === "string") return [{ role, text: value }];
  return Array.isArray(value) && value.length > 0 ? turnsOf(value) : null;
}

function turnsOf(turns: unknown[]): Turn[] | null {
  const read = turns.map(toTurn);
  return read.every((turn) => turn !== null) ? read : null;
}

const SHAREGPT_ROLES: Record<string, string> = { human: "user", gpt: "assistant", bot: "assistant" };

function toTurn(message: unknown): Turn | null {
  if (typeof message !== "object" || message === null) return null;
  const { role, content, from, value, tool_calls: calls } = message as Row;
  const who = role ?? from;
  if (typeof who !== "string") return null;
  const said = content ?? value;
  const spoken = typeof said === "string" ? said : calls ? JSON.stringify(calls) : null;
  return spoken === null ? null : { role: SHAREGPT_ROLES[who] ?? who, text: spoken };
}
