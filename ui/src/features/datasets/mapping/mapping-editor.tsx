import { ArrowRight, CircleAlert, CircleCheck } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { Field, Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { toConversation } from "../conversation";
import { ConversationView } from "../conversation-view";
import { FIELDS, FORMATS, type Format, fieldsOf, forFormat, type Mapping, mapped, missingFields } from "./fields";

export interface MappingDraft {
  format: Format;
  mapping: Mapping;
}

interface MappingEditorProps {
  columns: readonly string[];
  rows: readonly Record<string, unknown>[];
  draft: MappingDraft;
  onDraft: (draft: MappingDraft) => void;
}

const SAMPLES_SHOWN = 4;

/** Which column is which field, and how the first rows then read. */
export function MappingEditor({ columns, rows, draft, onDraft }: MappingEditorProps) {
  const { t, known } = useI18n();
  const { format, mapping } = draft;
  const missing = missingFields(columns, mapping, format);
  const setField = (column: string, field: string) => {
    const { [column]: _, ...others } = mapping;
    onDraft({ format, mapping: field === "" || field === column ? others : { ...others, [column]: field } });
  };
  const fieldOf = (column: string) => mapping[column] ?? (fieldsOf(format).includes(column) ? column : "");

  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <Card className="overflow-clip">
        <CardHeader title={t("mapping.columnsTitle")} description={t("mapping.columnsText")} />
        <div className="px-5 pb-4">
          <Field label={t("mapping.format")} description={t(`mapping.formatTexts.${format}`)}>
            {(control) => (
              <Select
                {...control}
                value={format}
                onChange={(event) => {
                  const next = event.currentTarget.value as Format;
                  onDraft({ format: next, mapping: forFormat(mapping, next) });
                }}
              >
                {FORMATS.map((name) => (
                  <option key={name} value={name}>
                    {known("formats", name, name)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <ul className="divide-y divide-line border-line border-t" data-testid="mapping-columns">
          {columns.map((column) => (
            <li
              key={column}
              className="grid grid-cols-[minmax(0,1fr)_auto_minmax(8rem,11rem)] items-center gap-3 px-5 py-2.5"
            >
              <span className="min-w-0">
                <span className="block truncate font-medium text-[0.8125rem]">{column}</span>
                <span className="block truncate text-ink-faint text-xs">{sampleOf(rows, column)}</span>
              </span>
              <ArrowRight aria-hidden className="size-4 text-ink-faint" />
              <Select
                aria-label={t("mapping.fieldFor", { column })}
                value={fieldOf(column)}
                onChange={(event) => setField(column, event.currentTarget.value)}
              >
                <option value="">{t("mapping.unused")}</option>
                {fieldsOf(format).map((field) => (
                  <option key={field} value={field}>
                    {FIELDS[format].required.includes(field) ? `${field} *` : field}
                  </option>
                ))}
              </Select>
            </li>
          ))}
        </ul>
        <p
          role="status"
          className={`flex items-center gap-2 border-line border-t px-5 py-3 text-[0.8125rem] ${missing.length > 0 ? "text-amber" : "text-green"}`}
        >
          {missing.length > 0 ? (
            <CircleAlert aria-hidden className="size-4" />
          ) : (
            <CircleCheck aria-hidden className="size-4" />
          )}
          {missing.length > 0 ? t("mapping.missing", { fields: missing.join(", ") }) : t("mapping.complete")}
        </p>
      </Card>
      <Card className="overflow-clip">
        <CardHeader title={t("mapping.sampleTitle")} description={t("mapping.sampleText")} />
        {rows.length === 0 ? (
          <p className="border-line border-t px-5 py-4 text-ink-soft">{t("mapping.noSample")}</p>
        ) : (
          <ol className="divide-y divide-line border-line border-t" data-testid="mapping-sample">
            {rows.slice(0, SAMPLES_SHOWN).map((row, index) => {
              const turns = missing.length > 0 ? null : toConversation(mapped(row, mapping));
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: the first rows of a file, in its order
                <li key={index} className="px-5 py-3">
                  {turns ? (
                    <ConversationView turns={turns} />
                  ) : (
                    <span className="flex items-center gap-2 text-ink-soft text-[0.8125rem]">
                      <Badge tone="amber">{t("mapping.unreadable")}</Badge>
                    </span>
                  )}
                </li>
              );
            })}
          </ol>
        )}
      </Card>
    </div>
  );
}

function sampleOf(rows: readonly Record<string, unknown>[], column: string): string {
  const values = rows
    .map((row) => row[column])
    .filter((value) => value !== null && value !== undefined && value !== "");
  return values
    .slice(0, 3)
    .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
    .join(" · ");
}
