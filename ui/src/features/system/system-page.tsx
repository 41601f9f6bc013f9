import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { QueryView } from "@/components/query-view";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { systemQueries, type Worker } from "./queries";
import { ResourceCharts } from "./resource-charts";

export function SystemPage() {
  const { t } = useI18n();
  return (
    <Page title={t("system.title")} description={t("system.description")}>
      <div className="space-y-6">
        <ResourceCharts />
        <WorkersCard />
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <DevicesCard />
          <DiskCard />
        </div>
        <VersionsCard />
      </div>
    </Page>
  );
}

function WorkersCard() {
  const { t } = useI18n();
  const workers = useQuery(systemQueries.workers());
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("system.workers")} />
      <QueryView query={workers}>
        {(items) =>
          items.length === 0 ? (
            <p className="px-5 pb-5 text-amber">{t("system.noWorkers")}</p>
          ) : (
            <Table label={t("system.workers")}>
              <thead>
                <tr>
                  <Th>{t("system.worker")}</Th>
                  <Th>{t("system.devices")}</Th>
                  <Th className="text-end max-sm:hidden">{t("system.atOnce")}</Th>
                  <Th>{t("system.holds")}</Th>
                  <Th className="max-sm:hidden">{t("system.seen")}</Th>
                </tr>
              </thead>
              <tbody>
                {items.map((worker) => (
                  <WorkerRow key={worker.name} worker={worker} />
                ))}
              </tbody>
            </Table>
          )
        }
      </QueryView>
    </Card>
  );
}

function WorkerRow({ worker }: { worker: Worker }) {
  const { t, format } = useI18n();
  return (
    <Tr>
      <Td className="max-w-52 break-words font-medium">{worker.name}</Td>
      <Td>
        <span className="flex flex-wrap gap-1">
          {worker.devices.map((device) => (
            <Badge key={device}>{device}</Badge>
          ))}
        </span>
      </Td>
      <Td className="numeric text-end max-sm:hidden">{format.number(worker.concurrency)}</Td>
      <Td>
        {worker.running.length === 0 ? (
          <span className="text-ink-faint">{t("system.idle")}</span>
        ) : (
          worker.running.map((id) => (
            <Link
              key={id}
              to="/jobs/$id"
              params={{ id: String(id) }}
              className="numeric mr-2 text-accent hover:underline"
            >
              #{id}
            </Link>
          ))
        )}
      </Td>
      <Td className="text-ink-soft max-sm:hidden">
        <TimeAgo time={worker.seen_at} />
      </Td>
    </Tr>
  );
}

function DevicesCard() {
  const { t, format } = useI18n();
  const devices = useQuery(systemQueries.devices());
  return (
    <Card>
      <CardHeader title={t("system.devices")} />
      <QueryView query={devices}>
        {({ devices: items, now }) => (
          <div className="space-y-3 px-5 pb-5 text-[0.8125rem]">
            {items.map((device) => (
              <div key={device.name} className="flex justify-between gap-4">
                <span className="min-w-0">
                  <span className="font-medium">{device.name}</span>
                  <span className="block break-words text-ink-faint text-xs">{device.title}</span>
                </span>
                <span className="numeric shrink-0">{format.bytes(device.memory_total_bytes)}</span>
              </div>
            ))}
            <Use name={t("system.cpu")} share={now.cpu} text={format.percent(now.cpu)} />
            <Use
              name={t("home.memory")}
              share={now.memory_used_bytes / now.memory_total_bytes}
              text={t("home.usedOf", {
                used: format.bytes(now.memory_used_bytes),
                total: format.bytes(now.memory_total_bytes),
              })}
            />
          </div>
        )}
      </QueryView>
    </Card>
  );
}

function Use({ name, share, text }: { name: string; share: number; text: string }) {
  return (
    <div>
      <div className="flex justify-between gap-4">
        <span className="text-ink-soft">{name}</span>
        <span className="numeric font-medium">{text}</span>
      </div>
      <Progress label={name} value={share} tone={share > 0.9 ? "red" : "neutral"} className="mt-1.5" />
    </div>
  );
}

function DiskCard() {
  const { t, format } = useI18n();
  const disk = useQuery(systemQueries.disk());
  return (
    <Card>
      <CardHeader title={t("system.disk")} />
      <QueryView query={disk}>
        {(space) => (
          <div className="space-y-3 px-5 pb-5 text-[0.8125rem]">
            <Use
              name={space.path}
              share={1 - space.free_bytes / space.total_bytes}
              text={t("system.diskFree", {
                free: format.bytes(space.free_bytes),
                total: format.bytes(space.total_bytes),
              })}
            />
            <dl className="divide-y divide-line">
              {space.folders.map((folder) => (
                <div key={folder.name} className="flex justify-between gap-4 py-1.5">
                  <dt className="text-ink-soft">{folder.name}</dt>
                  <dd className="numeric">{format.bytes(folder.size_bytes)}</dd>
                </div>
              ))}
            </dl>
          </div>
        )}
      </QueryView>
    </Card>
  );
}

function VersionsCard() {
  const { t } = useI18n();
  const info = useQuery(systemQueries.info());
  return (
    <Card>
      <CardHeader title={t("system.versions")} />
      <QueryView query={info}>
        {(found) => (
          <dl className="grid gap-x-8 px-5 pb-5 text-[0.8125rem] sm:grid-cols-2">
            {[
              ["Tunesmith", found.version],
              ["Python", found.python],
              [t("system.machine"), found.platform],
              ["SQL", found.database],
              ...Object.entries(found.packages),
            ].map(([name, version]) => (
              <Pair key={name} name={name ?? ""}>
                {version}
              </Pair>
            ))}
            {Object.entries(found.extras).map(([name, extra]) => (
              <Pair key={name} name={name}>
                {extra.installed ? (
                  <Badge tone="green">{t("system.installed")}</Badge>
                ) : (
                  <code className="font-mono text-xs">{extra.install}</code>
                )}
              </Pair>
            ))}
          </dl>
        )}
      </QueryView>
    </Card>
  );
}

function Pair({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex justify-between gap-4 border-line border-t py-1.5">
      <dt className="text-ink-soft">{name}</dt>
      <dd className="numeric min-w-0 break-words text-end">{children}</dd>
    </div>
  );
}
