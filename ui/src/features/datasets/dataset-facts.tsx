import { useI18n } from "@/i18n";
import type { DatasetDetail } from "./queries";

/** What the dataset is, in one line. */
export function DatasetFacts({ dataset }: { dataset: DatasetDetail }) {
  const { t, format, known } = useI18n();
  return (
    <span className="flex flex-wrap gap-x-2 text-[0.8125rem]">
      {dataset.total_samples !== null && (
        <>
          <span>
            <span data-testid="dataset-rows" className="numeric">
              {format.number(dataset.total_samples)}
            </span>{" "}
            {t("data.rowsWord", { count: dataset.total_samples })}
          </span>
          <span aria-hidden>·</span>
        </>
      )}
      {dataset.format && (
        <>
          <span>{known("formats", dataset.format, dataset.format)}</span>
          <span aria-hidden>·</span>
        </>
      )}
      <span className="numeric whitespace-nowrap">{format.bytes(dataset.size_bytes)}</span>
      <span aria-hidden>·</span>
      <span className="min-w-0 break-all">{dataset.file_name}</span>
    </span>
  );
}
