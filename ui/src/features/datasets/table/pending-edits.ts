import { withValueAt } from "@/lib/json-pointer";

/** What somebody has changed in the table and not saved yet. Rows are numbered as in the version that is shown. */
export interface PendingEdits {
  cells: CellEdit[];
  deleted: number[];
}

export interface CellEdit {
  row: number;
  pointer: string;
  value: unknown;
  before: unknown;
}

export const NOTHING: PendingEdits = { cells: [], deleted: [] };

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** One more change. Putting back what was there takes the change away; a change inside a changed value joins it. */
export function withCell(edits: PendingEdits, { row, pointer, value, before }: CellEdit): PendingEdits {
  const around = edits.cells.find((cell) => cell.row === row && pointer.startsWith(`${cell.pointer}/`));
  if (around) {
    const inside = pointer.slice(around.pointer.length);
    return withCell(edits, { ...around, value: withValueAt(around.value, inside, value) });
  }
  const known = edits.cells.find((cell) => cell.row === row && cell.pointer === pointer);
  const original = known ? known.before : before;
  const others = edits.cells.filter(
    (cell) => cell.row !== row || (cell.pointer !== pointer && !cell.pointer.startsWith(`${pointer}/`)),
  );
  const cells = isSame(value, original) ? others : [...others, { row, pointer, value, before: original }];
  return { ...edits, cells };
}

/** Marks a row to be left out of the next version, or takes the mark away. */
export function withRowDeleted(edits: PendingEdits, row: number, deleted: boolean): PendingEdits {
  const others = edits.deleted.filter((one) => one !== row);
  return { ...edits, deleted: deleted ? [...others, row] : others };
}

export function withoutRow(edits: PendingEdits, row: number): PendingEdits {
  return {
    cells: edits.cells.filter((cell) => cell.row !== row),
    deleted: edits.deleted.filter((one) => one !== row),
  };
}

/** The row as it will be. */
export function edited(data: unknown, row: number, edits: PendingEdits): unknown {
  return edits.cells
    .filter((cell) => cell.row === row)
    .reduce((value, cell) => withValueAt(value, cell.pointer, cell.value), data);
}

export const isDeleted = (edits: PendingEdits, row: number) => edits.deleted.includes(row);

export const isChanged = (edits: PendingEdits, row: number, pointer: string) =>
  edits.cells.some((cell) => cell.row === row && (cell.pointer === pointer || cell.pointer.startsWith(`${pointer}/`)));

/** How many changes would be saved; what is changed in a row that is left out does not count. */
export function countOf({ cells, deleted }: PendingEdits): number {
  return cells.filter((cell) => !deleted.includes(cell.row)).length + deleted.length;
}

export function toPatch({ cells, deleted }: PendingEdits) {
  return {
    set: cells
      .filter((cell) => !deleted.includes(cell.row))
      .map(({ row, pointer, value }) => (pointer === "" ? { row, value } : { row, pointer, value })),
    delete: [...deleted].sort((one, other) => one - other),
  };
}
