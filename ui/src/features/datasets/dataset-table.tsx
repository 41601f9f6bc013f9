import { Link } from "@tanstack/react-router";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { QualityMeter } from "./quality-meter";
import type { Dataset } from "./queries";

export function DatasetTable({ datasets }: { datasets: Dataset[] }) {
  const { t, format } = useI18n();
  return (
    <Table label={t("data.listTitle")}>
      <thead>
        <tr>
          <Th>{t("data.name")}</Th>
          <Th>{t("data.status")}</Th>
          <Th className="text-end">{t("data.rows")}</Th>
          <Th>{t("data.quality")}</Th>
          <Th className="max-md:hidden">{t("data.format")}</Th>
          <Th className="text-end max-md:hidden">{t("data.size")}</Th>
          <Th className="max-sm:hidden">{t("common.created")}</Th>
        </tr>
      </thead>
      <tbody>
        {datasets.map((dataset) => (
          <Tr key={dataset.id}>
            <Td className="min-w-40">
              <Link
                data-row-link
                to="/data/$id"
                params={{ id: String(dataset.id) }}
                className="font-medium hover:text-accent hover:underline"
              >
                {dataset.name}
              </Link>
              <span className="ml-2 text-ink-faint">{dataset.version}</span>
            </Td>
            <Td>
              <StateBadge state={dataset.status} />
            </Td>
            <Td className="numeric text-end">
              {dataset.total_samples === null ? "–" : format.number(dataset.total_samples)}
            </Td>
            <Td>
              <QualityMeter score={dataset.quality_score} />
            </Td>
            <Td className="text-ink-soft max-md:hidden">{dataset.format ?? "–"}</Td>
            <Td className="numeric whitespace-nowrap text-end text-ink-soft max-md:hidden">
              {format.bytes(dataset.size_bytes)}
            </Td>
            <Td className="text-ink-soft max-sm:hidden">
              <TimeAgo time={dataset.created_at} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
