export interface CellPlace {
  /** Row from 0. */
  index: number;
  column: number;
}

interface Size {
  rows: number;
  columns: number;
  /** Rows that a page key moves by. */
  page: number;
}

interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
}

/** Where a key leads from a cell, as in every table program; null for a key that does not move. */
export function nextCell(from: CellPlace, { key, ctrlKey, metaKey }: Key, size: Size): CellPlace | null {
  const isFar = ctrlKey || metaKey;
  const moves: Record<string, CellPlace> = {
    ArrowUp: { index: isFar ? 0 : from.index - 1, column: from.column },
    ArrowDown: { index: isFar ? size.rows - 1 : from.index + 1, column: from.column },
    ArrowLeft: { index: from.index, column: isFar ? 0 : from.column - 1 },
    ArrowRight: { index: from.index, column: isFar ? size.columns - 1 : from.column + 1 },
    PageUp: { index: from.index - size.page, column: from.column },
    PageDown: { index: from.index + size.page, column: from.column },
    Home: { index: isFar ? 0 : from.index, column: 0 },
    End: { index: isFar ? size.rows - 1 : from.index, column: size.columns - 1 },
  };
  const move = moves[key];
  if (!move || size.rows === 0 || size.columns === 0) return null;
  const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
  return { index: within(move.index, size.rows), column: within(move.column, size.columns) };
}
