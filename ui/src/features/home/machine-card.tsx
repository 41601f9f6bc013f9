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
            <Usage name={t("home.memory")} used={system.memory.used_gb} total={system.memory.total_gb} />
            <Usage name={t("home.disk")} used={system.disk.used_gb} total={system.disk.total_gb} />
            <Line name={t("home.workers")}>{format.number(system.workers.length)}</Line>
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

function Usage({ name, used, total }: { name: string; used: number; total: number }) {
  const { t, format } = useI18n();
  return (
    <div>
      <Line name={name}>{t("home.usedOf", { used: format.number(used, 1), total: format.number(total, 1) })}</Line>
      <Progress
        label={name}
        value={total > 0 ? used / total : 0}
        tone={used / total > 0.9 ? "red" : "neutral"}
        className="mt-1.5"
      />
    </div>
  );
}
