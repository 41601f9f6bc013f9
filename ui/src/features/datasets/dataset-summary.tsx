import { Stat } from "@/components/stat";
import { TimeAgo } from "@/components/time-ago";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { QualityMeter } from "./quality-meter";
import type { DatasetDetail } from "./queries";

export function DatasetSummary({ dataset }: { dataset: DatasetDetail }) {
  const { t, format, known } = useI18n();
  const length = (value: number | null | undefined) =>
    value === null || value === undefined ? "–" : format.number(Math.round(value));
  return (
    <Card>
      <dl className="grid grid-cols-2 divide-line max-md:divide-y md:grid-cols-3 lg:grid-cols-6 lg:divide-x">
        <Stat label={t("data.rows")}>
          {dataset.total_samples === null ? "–" : format.number(dataset.total_samples)}
        </Stat>
        <Stat label={t("data.quality")}>
          <QualityMeter score={dataset.quality_score} />
        </Stat>
        <Stat label={t("data.format")} note={dataset.format}>
          <span className="text-sm">{known("formats", dataset.format, dataset.format)}</span>
        </Stat>
        <Stat label={t("data.size")} note={<span className="break-all">{dataset.file_name}</span>}>
          {format.bytes(dataset.size_bytes)}
        </Stat>
        <Stat label={t("data.averageQuestion")} note={t("data.charactersWord")}>
          {length(dataset.avg_instruction_length)}
        </Stat>
        <Stat label={t("data.averageAnswer")} note={t("data.charactersWord")}>
          {length(dataset.avg_output_length)}
        </Stat>
      </dl>
      <p className="flex flex-wrap gap-x-6 gap-y-1 border-line border-t px-5 py-3 text-ink-faint text-xs">
        <span>
          {t("common.created")} <TimeAgo time={dataset.created_at} />
        </span>
        <span className="min-w-0 truncate">
          SHA-256 <code className="select-all font-mono">{dataset.sha256}</code>
        </span>
      </p>
    </Card>
  );
}
