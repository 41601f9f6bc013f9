import { useQuery } from "@tanstack/react-query";
import { Stat } from "@/components/stat";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { ggufQueries } from "./queries";

/** What conversions have saved so far; nothing while there are none. */
export function StatisticsCard() {
  const { t, format } = useI18n();
  const { data } = useQuery(ggufQueries.statistics());
  if (!data || data.total_conversions === 0) return null;
  const times = (ratio: number | null | undefined) => (ratio == null ? "–" : `${format.number(ratio, 2)} : 1`);
  return (
    <Card aria-label={t("gguf.statistics")}>
      <dl className="grid grid-cols-2 divide-line sm:grid-cols-4 sm:divide-x">
        <Stat label={t("gguf.conversions")} note={t("gguf.succeeded", { count: data.succeeded })}>
          {format.number(data.total_conversions)}
        </Stat>
        <Stat label={t("gguf.totalFiles")} note={format.bytes(data.total_size_bytes)}>
          {format.number(data.total_files)}
        </Stat>
        <Stat label={t("gguf.average")} note={`${t("gguf.best")}: ${times(data.best_compression_ratio)}`}>
          {times(data.average_compression_ratio)}
        </Stat>
        <Stat label={t("gguf.saved")}>{format.bytes(Math.max(0, data.saved_bytes))}</Stat>
      </dl>
    </Card>
  );
}
