import { type KeyboardEvent, useEffect, useRef } from "react";
import type { PreviewRow } from "@/features/datasets/queries";
import { useVirtualRows } from "@/hooks/use-virtual-rows";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { RowRange } from "@/lib/virtual-scroll";
import { type Column, templateOf, widthOfAll } from "./columns";
import { GridRow, ROW_HEIGHT } from "./grid-row";
import { type CellPlace, nextCell } from "./navigation";
import type { PendingEdits } from "./pending-edits";

const HEADER_HEIGHT = 36;

export interface RowGridProps {
  total: number;
  columns: Column[];
  rowAt: (index: number) => PreviewRow | undefined;
  edits: PendingEdits;
  active: CellPlace;
  editing: boolean;
  /** A row to bring into sight, from 0; a new object each time that it is asked for. */
  goal: { index: number } | null;
  onRange: (range: RowRange) => void;
  onActive: (place: CellPlace) => void;
  onEdit: (place: CellPlace | null) => void;
  onValue: (row: PreviewRow, column: string, value: unknown) => void;
  onDelete: (index: number) => void;
  onOpen: (index: number) => void;
}

/** A table of any length: only the rows in sight exist, the header stays, the arrow keys move the cell. */
export function RowGrid(props: RowGridProps) {
  const { total, columns, rowAt, edits, active, editing, goal, onRange, onActive, onEdit, onDelete, onOpen } = props;
  const { t } = useI18n();
  const { scroller, trackHeight, viewHeight, range, topOf, scrollToRow } = useVirtualRows(
    total,
    ROW_HEIGHT,
    HEADER_HEIGHT,
  );
  const template = templateOf(columns, total);
  const minWidth = widthOfAll(columns, total);
  const { first, end } = range;

  // biome-ignore lint/correctness/useExhaustiveDependencies: told when the range changes, whoever listens
  useEffect(() => onRange({ first, end }), [first, end]);
  const goTo = useRef(scrollToRow);
  goTo.current = scrollToRow;
  useEffect(() => {
    if (goal) goTo.current(goal.index, "center");
  }, [goal]);
  // Back from the editor of a cell the keys belong to the table again.
  const wasEditing = useRef(editing);
  useEffect(() => {
    if (wasEditing.current && !editing) scroller.current?.focus({ preventScroll: true });
    wasEditing.current = editing;
  }, [editing, scroller]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (editing || event.target !== event.currentTarget) return;
    const size = { rows: total, columns: columns.length, page: Math.max(1, Math.floor(viewHeight / ROW_HEIGHT) - 1) };
    const next = nextCell(active, event, size);
    if (next) {
      event.preventDefault();
      onActive(next);
      scrollToRow(next.index, "nearest");
      keepColumnInSight(event.currentTarget, columns, next.column);
    } else if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      onEdit(active);
    } else if (event.key === " ") {
      event.preventDefault();
      onOpen(active.index);
    } else if (event.key === "Delete") {
      event.preventDefault();
      onDelete(active.index);
    }
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a real table cannot leave out the rows that are not in sight
    <div
      ref={scroller}
      role="grid"
      tabIndex={0}
      aria-label={t("table.label")}
      aria-rowcount={total + 1}
      aria-colcount={columns.length + 1}
      aria-activedescendant={total > 0 ? `cell-${active.index}-${active.column}` : undefined}
      data-testid="row-grid"
      className="row-grid relative h-[max(22rem,calc(100dvh-24rem))] overflow-auto overscroll-contain text-[0.8125rem] outline-none focus-visible:ring-2 focus-visible:ring-accent focus-visible:ring-inset"
      onKeyDown={onKeyDown}
    >
      <div className="relative" style={{ height: trackHeight + HEADER_HEIGHT, minWidth }}>
        <div className="sticky top-0 overflow-clip" style={{ height: viewHeight + HEADER_HEIGHT }}>
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: the grid itself takes the focus */}
          <div
            role="row"
            aria-rowindex={1}
            className="absolute inset-x-0 top-0 z-20 grid border-line border-b bg-sunken font-medium text-ink-soft text-xs"
            style={{ gridTemplateColumns: template, height: HEADER_HEIGHT }}
          >
            <Heading className="sticky left-0 z-10 border-line border-r bg-sunken text-end">{t("table.row")}</Heading>
            {columns.map((column) => (
              <Heading key={column.name} className={column.kind === "number" ? "text-end" : undefined}>
                {column.name}
              </Heading>
            ))}
          </div>
          {Array.from({ length: Math.max(0, end - first) }, (_, offset) => {
            const index = first + offset;
            return (
              <GridRow
                key={index}
                index={index}
                row={rowAt(index)}
                columns={columns}
                template={template}
                top={topOf(index) + HEADER_HEIGHT}
                edits={edits}
                activeColumn={active.index === index ? active.column : null}
                isEditing={editing && active.index === index}
                isLow={topOf(index) > viewHeight / 2}
                onActive={(place) => {
                  onActive(place);
                  scroller.current?.focus({ preventScroll: true });
                }}
                onEdit={onEdit}
                onValue={props.onValue}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Heading({ className, children }: { className?: string | undefined; children: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of a virtual table
    // biome-ignore lint/a11y/useFocusableInteractive: the grid itself takes the focus
    <div role="columnheader" className={cn("truncate px-3 py-2 leading-5", className)} title={children}>
      {children}
    </div>
  );
}

function keepColumnInSight(scroller: HTMLElement, columns: readonly Column[], column: number) {
  const cell = scroller.querySelector<HTMLElement>(`[role=columnheader]:nth-of-type(${column + 2})`);
  const numbers = scroller.querySelector<HTMLElement>("[role=columnheader]");
  if (!cell || !numbers || columns.length === 0) return;
  const left = cell.offsetLeft - numbers.offsetWidth;
  const right = cell.offsetLeft + cell.offsetWidth - scroller.clientWidth;
  if (scroller.scrollLeft > left) scroller.scrollLeft = left;
  else if (scroller.scrollLeft < right) scroller.scrollLeft = right;
}
