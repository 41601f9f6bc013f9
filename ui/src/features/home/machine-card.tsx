import { useQuery } from "@tanstack/react-query";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import { systemQueries } from "@/features/system/queries";
import { useI18n } from "@/i18n";

/** What this machine has, and how much of it is in use. */
export function MachineCard() {
  const { t, format } = useI18n();
  const info = useQuery(systemQueries.info());
  return (
    <Card>
      <CardHeader title={t("home.machine")} />
      <QueryView query={info}>
        {(system) => (
          <dl className="space-y-3 px-5 pb-5 text-[0.8125rem]">
            <Line name={t("home.device")}>{system.device}</Line>
            <Line name={t("home.processors")}>{format.number(system.cpu_count)}</Line>
            <Usage name={t("home.memory")} free={system.memory_available_bytes} total={system.memory_total_bytes} />
            <Line name={t("home.diskFree")}>{format.bytes(system.disk_free_bytes)}</Line>
            <Line name={t("home.version")}>{system.version}</Line>
          </dl>
        )}
      </QueryView>
    </Card>
  );
}

function Line({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-ink-soft">{name}</dt>
      <dd className="numeric font-medium">{children}</dd>
    </div>
  );
}

function Usage({ name, free, total }: { name: string; free: number; total: number }) {
  const { t, format } = useI18n();
  const share = total > 0 ? (total - free) / total : 0;
  return (
    <div>
      <Line name={name}>{t("home.usedOf", { used: format.bytes(total - free), total: format.bytes(total) })}</Line>
      <Progress label={name} value={share} tone={share > 0.9 ? "red" : "neutral"} className="mt-1.5" />
    </div>
  );
}
