import { Trash2, Undo2, X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { PreviewRow } from "@/features/datasets/queries";
import { useI18n } from "@/i18n";
import { pointerOf, valueAtPointer } from "@/lib/json-pointer";
import { FieldEditor } from "./field-editor";
import { edited, isDeleted, type PendingEdits, withCell, withoutRow, withRowDeleted } from "./pending-edits";

interface RowDetailProps {
  id: number;
  number: number;
  row: PreviewRow | undefined;
  edits: PendingEdits;
  onChange: (change: (old: PendingEdits) => PendingEdits) => void;
  onClose: () => void;
}

/** One row in full, field by field and turn by turn, to read and to edit. */
export function RowDetail({ id, number, row, edits, onChange, onClose }: RowDetailProps) {
  const { t, format } = useI18n();
  const isGone = isDeleted(edits, number);
  const touched = isGone || edits.cells.some((cell) => cell.row === number);
  return (
    <aside
      aria-label={t("table.rowTitle", { row: format.number(number) })}
      data-testid="row-detail"
      className="flex flex-col border-line bg-surface max-lg:fixed max-lg:inset-x-0 max-lg:bottom-0 max-lg:z-50 max-lg:max-h-[60dvh] max-lg:rounded-t-2xl max-lg:border-t max-lg:shadow-card lg:h-[max(22rem,calc(100dvh-24rem))] lg:border-l"
    >
      <header className="flex items-center justify-between gap-2 border-line border-b px-4 py-2">
        <h2 className="numeric font-semibold">
          {t("table.rowTitle", { row: format.number(number) })}
          {row && row.line !== null && (
            <span className="ml-2 font-normal text-ink-faint text-xs">
              {t("data.lineNumber", { line: format.number(row.line) })}
            </span>
          )}
        </h2>
        <span className="flex">
          {touched ? (
            <Button variant="ghost" size="small" onClick={() => onChange((old) => withoutRow(old, number))}>
              <Undo2 aria-hidden />
              {t("table.restoreRow")}
            </Button>
          ) : (
            <Button
              variant="ghost"
              size="icon"
              title={t("table.deleteRow")}
              aria-label={t("table.deleteRow")}
              onClick={() => onChange((old) => withRowDeleted(old, number, true))}
            >
              <Trash2 aria-hidden />
            </Button>
          )}
          <Button variant="ghost" size="icon" aria-label={t("table.close")} onClick={onClose}>
            <X aria-hidden />
          </Button>
        </span>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
        {!row && <SkeletonRows />}
        {row?.error && <p className="text-red">{row.error}</p>}
        {row && isGone && <p className="mb-3 text-[0.8125rem] text-red">{t("table.willGo")}</p>}
        {row && !row.error && (
          <Fields
            key={`${id}-${number}`}
            data={edited(row.data, number, edits)}
            onValue={(pointer, value) =>
              onChange((old) =>
                withCell(old, { row: number, pointer, value, before: valueAtPointer(row.data, pointer) ?? null }),
              )
            }
          />
        )}
      </div>
    </aside>
  );
}

interface FieldsProps {
  data: unknown;
  onValue: (pointer: string, value: unknown) => void;
}

function Fields({ data, onValue }: FieldsProps) {
  const { known } = useI18n();
  if (typeof data !== "object" || data === null) {
    return <pre className="whitespace-pre-wrap break-words font-mono text-xs">{JSON.stringify(data)}</pre>;
  }
  return (
    <div className="space-y-4">
      {Object.entries(data).map(([name, value]) => {
        const turns = turnsOf(name, value);
        if (turns) {
          return turns.map(({ role, pointer, text }) => (
            <FieldEditor
              key={pointer}
              label={known("states", `role-${role}`, role)}
              note={pointer}
              value={text}
              onValue={(next) => onValue(pointer, next)}
            />
          ));
        }
        const pointer = pointerOf(name);
        return <FieldEditor key={pointer} label={name} value={value} onValue={(next) => onValue(pointer, next)} />;
      })}
    </div>
  );
}

interface TurnField {
  role: string;
  pointer: string;
  text: string;
}

/** The turns of a conversation, whatever its words for them: role and content, or from and value. */
function turnsOf(name: string, value: unknown): TurnField[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const turns = value.map((turn: unknown, index): TurnField | null => {
    if (typeof turn !== "object" || turn === null) return null;
    const { role, from, content, value: said } = turn as Record<string, unknown>;
    const who = role ?? from;
    if (typeof who !== "string") return null;
    if (typeof content === "string") return { role: who, pointer: pointerOf(name, index, "content"), text: content };
    return typeof said === "string" ? { role: who, pointer: pointerOf(name, index, "value"), text: said } : null;
  });
  return turns.every((turn) => turn !== null) ? turns : null;
}
