import type { PreviewRow } from "@/features/datasets/queries";
import { toConversation } from "../conversation";

export interface Column {
  name: string;
  /** Least width in pixels. */
  width: number;
  /** Takes a share of what is left. */
  grows: boolean;
  /** How its values are set: figures to the right. */
  kind: "text" | "number";
}

const PIXELS_A_CHARACTER = 7.5;

/** What stands in a cell, in one string. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  const turns = Array.isArray(value) ? toConversation({ messages: value }) : null;
  if (turns) return turns.map((turn) => `${turn.role}: ${turn.text}`).join("\n");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The columns and their widths, from the first rows that are here. */
export function columnsOf(names: readonly string[], rows: readonly PreviewRow[]): Column[] {
  return names.map((name) => {
    const values = rows.map((row) => (row.data as Record<string, unknown> | null)?.[name]);
    const present = values.filter((value) => value !== undefined && value !== null);
    const isNumber = present.length > 0 && present.every((value) => typeof value === "number");
    const longest = Math.max(name.length + 2, ...present.map((value) => widthOf(cellText(value))));
    const width = Math.min(360, Math.max(96, longest * PIXELS_A_CHARACTER + 32));
    return { name, width: Math.round(width), grows: width >= 240, kind: isNumber ? "number" : "text" };
  });
}

/** Korean, Chinese and Japanese letters are twice as wide. */
function widthOf(text: string): number {
  const shown = text.slice(0, 60);
  return shown.length + (shown.match(/[\u1100-\u11ff\u3000-\u9fff\uac00-\ud7af]/g)?.length ?? 0);
}

/** Room for the number of the last row. */
export const numberWidth = (total: number) => 40 + total.toLocaleString("en").length * 7.5;

export function templateOf(columns: readonly Column[], total: number): string {
  const widths = columns.map(({ width, grows }) => (grows ? `minmax(${width}px, 1fr)` : `${width}px`));
  const rest = columns.some((column) => column.grows) ? "" : " minmax(0, 1fr)";
  return `${numberWidth(total)}px ${widths.join(" ")}${rest}`;
}

export const widthOfAll = (columns: readonly Column[], total: number) =>
  numberWidth(total) + columns.reduce((sum, column) => sum + column.width, 0);
