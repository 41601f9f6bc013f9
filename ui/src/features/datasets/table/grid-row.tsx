import { Maximize2 } from "lucide-react";
import type { PreviewRow } from "@/features/datasets/queries";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { pointerOf } from "@/lib/json-pointer";
import { CellEditor } from "./cell-editor";
import { type Column, cellText } from "./columns";
import type { CellPlace } from "./navigation";
import { edited, isChanged, isDeleted, type PendingEdits } from "./pending-edits";

export const ROW_HEIGHT = 52;

interface GridRowProps {
  index: number;
  row: PreviewRow | undefined;
  columns: readonly Column[];
  template: string;
  top: number;
  edits: PendingEdits;
  activeColumn: number | null;
  isEditing: boolean;
  /** In the lower half of what is in sight: the editor opens upwards. */
  isLow: boolean;
  onActive: (place: CellPlace) => void;
  onEdit: (place: CellPlace | null) => void;
  onValue: (row: PreviewRow, column: string, value: unknown) => void;
  onOpen: (index: number) => void;
}

export function GridRow({ index, row, columns, template, top, edits, activeColumn, ...on }: GridRowProps) {
  const { t, format } = useI18n();
  const number = index + 1;
  const data = row && edited(row.data, number, edits);
  const isGone = isDeleted(edits, number);
  const isActive = activeColumn !== null;
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of a virtual table
    // biome-ignore lint/a11y/useFocusableInteractive: the grid itself takes the focus
    <div
      role="row"
      aria-rowindex={index + 2}
      data-row={number}
      className={cn(
        "absolute inset-x-0 grid border-line border-b bg-surface",
        isActive && "bg-accent-soft/40",
        isGone && "bg-red-soft text-ink-faint line-through",
        on.isEditing && "z-10",
      )}
      style={{ top, height: ROW_HEIGHT, gridTemplateColumns: template }}
    >
      <button
        type="button"
        tabIndex={-1}
        title={t("table.open", { row: number })}
        aria-label={t("table.open", { row: number })}
        className={cn(
          "numeric group sticky left-0 z-10 flex items-start justify-end gap-0.5 border-line border-r bg-surface px-2.5 py-2 text-ink-faint text-xs leading-4.5 hover:text-accent",
          isActive && "bg-accent-soft text-accent",
          isGone && "bg-red-soft",
        )}
        onClick={() => on.onOpen(index)}
      >
        <Maximize2 aria-hidden className="mt-0.5 size-3 shrink-0 opacity-0 group-hover:opacity-100" />
        {format.number(number)}
      </button>
      {row?.error ? (
        // biome-ignore lint/a11y/useSemanticElements: part of a virtual table
        // biome-ignore lint/a11y/useFocusableInteractive: the grid itself takes the focus
        <div role="gridcell" className="truncate px-3 py-2 text-red" style={{ gridColumn: "2 / -1" }} title={row.error}>
          {row.error}
        </div>
      ) : (
        columns.map((column, place) => (
          <Cell
            key={column.name}
            id={`cell-${index}-${place}`}
            column={column}
            value={(data as Record<string, unknown> | null | undefined)?.[column.name]}
            isLoading={!row}
            isActive={activeColumn === place}
            isChanged={isChanged(edits, number, pointerOf(column.name))}
            onPick={() => on.onActive({ index, column: place })}
            onEdit={() => on.onEdit({ index, column: place })}
          >
            {row && on.isEditing && activeColumn === place && (
              <CellEditor
                label={`${t("table.row")} ${number}, ${column.name}`}
                value={(data as Record<string, unknown> | null)?.[column.name]}
                opensUp={on.isLow}
                onClose={() => on.onEdit(null)}
                onValue={(value) => on.onValue(row, column.name, value)}
              />
            )}
          </Cell>
        ))
      )}
    </div>
  );
}

interface CellProps {
  id: string;
  column: Column;
  value: unknown;
  isLoading: boolean;
  isActive: boolean;
  isChanged: boolean;
  onPick: () => void;
  onEdit: () => void;
  children: React.ReactNode;
}

function Cell({ id, column, value, isLoading, isActive, isChanged: changed, onPick, onEdit, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of a virtual table
    // biome-ignore lint/a11y/useFocusableInteractive: the grid itself takes the focus
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid answers the keys
    <div
      role="gridcell"
      id={id}
      aria-selected={isActive}
      data-changed={changed || undefined}
      className={cn(
        "relative min-w-0 cursor-default px-3 py-2 leading-4.5",
        column.kind === "number" && "numeric text-end",
        isActive && "ring-2 ring-accent ring-inset",
        changed && "bg-amber-soft",
      )}
      onClick={onPick}
      onDoubleClick={onEdit}
    >
      {isLoading ? (
        <span className="mt-1 block h-3 w-2/3 animate-pulse rounded bg-line/80" />
      ) : (
        <span className="line-clamp-2 whitespace-pre-line break-words">{cellText(value)}</span>
      )}
      {children}
    </div>
  );
}
