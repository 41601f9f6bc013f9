import type { UseQueryResult } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem";
import { Field, Input, Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";

const ROWS = 256;
const MOST_ROWS = 10_000;

/** What an importance matrix is measured on; null for none. */
export type Importance = { dataset_id: number; rows: number } | null;

export const isSound = (value: Importance) =>
  value === null || (Number.isInteger(value.rows) && value.rows >= 1 && value.rows <= MOST_ROWS);

interface ImportanceFieldsProps {
  datasets: UseQueryResult<{ items: { id: number; name: string; version: string }[] }>;
  value: Importance;
  onChange: (value: Importance) => void;
}

/** Whether rows of one's own decide what a small GGUF file keeps, whose, and how many. */
export function ImportanceFields({ datasets, value, onChange }: ImportanceFieldsProps) {
  const { t } = useI18n();
  return (
    <div className="grid gap-3 sm:grid-cols-[1fr_9rem]">
      <Field label={t("gguf.importance")} description={t("gguf.importanceHelp")}>
        {(control) => (
          <Select
            {...control}
            value={value?.dataset_id ?? ""}
            onChange={(event) => {
              const id = Number(event.currentTarget.value);
              onChange(id ? { dataset_id: id, rows: value?.rows ?? ROWS } : null);
            }}
          >
            <option value="">{t("gguf.noImportance")}</option>
            {datasets.data?.items.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}@{one.version}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {value && (
        <Field label={t("gguf.rows")} error={isSound(value) ? undefined : t("gguf.rowsRange", { most: MOST_ROWS })}>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={1}
              max={MOST_ROWS}
              value={Number.isNaN(value.rows) ? "" : value.rows}
              onChange={(event) => onChange({ ...value, rows: event.currentTarget.valueAsNumber })}
            />
          )}
        </Field>
      )}
      {datasets.isError && <ProblemNotice error={datasets.error} className="sm:col-span-2" />}
    </div>
  );
}
