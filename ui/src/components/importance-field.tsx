import { queryOptions, useQuery } from "@tanstack/react-query";
import { answer, api, type Schema } from "@/api/client";
import { Field, Input, Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

export type Importance = Pick<Schema<"ImportanceRequest">, "dataset_id" | "rows">;

const ROWS = 256;
const datasets = queryOptions({
  queryKey: ["datasets", "importance"],
  queryFn: async ({ signal }) =>
    (await answer(api.GET("/api/v1/admin/training/datasets", { signal, params: { query: { page_size: 200 } } }))).items,
});

/** Chooses the data that an importance matrix is measured on, and how much of it; null for none. */
export function ImportanceField(props: { value: Importance | null; onChange: (value: Importance | null) => void }) {
  const { t } = useI18n();
  const { data } = useQuery(datasets);
  const { value, onChange } = props;
  return (
    <div className={cn("grid gap-3", value && "sm:grid-cols-[1fr_9rem]")}>
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
            {data?.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}@{one.version}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {value && (
        <Field label={t("gguf.rows")}>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={1}
              max={10_000}
              value={value.rows}
              onChange={(event) => onChange({ ...value, rows: event.currentTarget.valueAsNumber || ROWS })}
            />
          )}
        </Field>
      )}
    </div>
  );
}
