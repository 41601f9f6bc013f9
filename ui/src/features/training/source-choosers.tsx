import { useQuery } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem";
import { Field, Select } from "@/components/ui/field";
import { type Dataset, datasetQueries } from "@/features/datasets/queries";
import { modelQueries } from "@/features/models/queries";
import { useI18n } from "@/i18n";
import { valueAt } from "@/lib/recipe-document";

export const datasetReference = (dataset: Pick<Dataset, "name" | "version">) =>
  `dataset:${dataset.name}@${dataset.version}`;

interface SourceChoosersProps {
  values: Record<string, unknown>;
  errors: ReadonlyMap<string, string>;
  onDataset: (dataset: Dataset) => void;
  onBase: (model: string) => void;
}

/** The two choices that come from the server: what to train on, and what to start from. */
export function SourceChoosers({ values, errors, onDataset, onBase }: SourceChoosersProps) {
  const { t, format } = useI18n();
  const datasets = useQuery(datasetQueries.choices());
  const models = useQuery(modelQueries.local());
  const data = String(valueAt(values, ["data", "train"]) ?? "");
  const base = String(valueAt(values, ["model", "base"]) ?? "");
  const ready = datasets.data?.items.filter((dataset) => dataset.status === "ready") ?? [];
  const isListedDataset = ready.some((dataset) => datasetReference(dataset) === data);
  const isListedBase = models.data?.some((model) => model.model_id === base) ?? false;
  const failed = datasets.error ?? models.error;

  return (
    <div className="mb-6 grid gap-x-4 gap-y-5 border-line border-b pb-6 sm:grid-cols-2">
      {failed && <ProblemNotice error={failed} className="sm:col-span-2" />}
      <Field label={t("train.dataset")} error={errors.get("data.train")}>
        {(control) => (
          <Select
            {...control}
            value={data}
            onChange={(event) => {
              const chosen = ready.find((dataset) => datasetReference(dataset) === event.currentTarget.value);
              if (chosen) onDataset(chosen);
            }}
          >
            {data === "" && <option value="">{t("train.datasetChoose")}</option>}
            {data !== "" && !isListedDataset && (
              <option value={data}>{t("train.datasetOther", { value: data })}</option>
            )}
            {ready.map((dataset) => (
              <option key={dataset.id} value={datasetReference(dataset)}>
                {`${dataset.name} · ${dataset.version} · ${t("data.rowCount", { count: dataset.total_samples ?? 0 })}`}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t("train.base")} error={errors.get("model.base")}>
        {(control) => (
          <Select {...control} value={base} onChange={(event) => onBase(event.currentTarget.value)}>
            {base === "" && <option value="">{t("train.baseChoose")}</option>}
            {base !== "" && !isListedBase && <option value={base}>{base}</option>}
            {models.data?.map((model) => (
              <option key={model.model_id} value={model.model_id}>
                {`${model.model_id} · ${t("train.parameters", { count: format.compact(model.num_parameters) })}`}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </div>
  );
}
