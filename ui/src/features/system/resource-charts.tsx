import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { LineChart } from "lucide-react";
import { lazy, Suspense } from "react";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { Segmented } from "@/components/ui/segmented";
import { Skeleton } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { type ResourceSample, systemQueries } from "./queries";

const MetricChart = lazy(() => import("@/components/metric-chart"));
const route = getRouteApi("/system");
const MINUTE_MS = 60_000;

interface Line {
  name: string;
  color: string;
  read: (sample: ResourceSample) => number | null;
}

/** What a machine was using in the last hours: processors, memory, and each GPU. */
export function ResourceCharts() {
  const { t } = useI18n();
  const { hours = 1, host } = route.useSearch();
  const navigate = route.useNavigate();
  const history = useQuery(systemQueries.resources({ hours, host }));
  const hosts = history.data?.hosts ?? [];
  return (
    <Card>
      <CardHeader
        title={t("system.history")}
        action={
          <div className="flex flex-wrap items-center gap-2">
            {hosts.length > 1 && (
              <Select
                className="w-44"
                aria-label={t("system.machine")}
                value={history.data?.host ?? ""}
                onChange={(event) => {
                  const chosen = event.currentTarget.value;
                  void navigate({ search: (old) => ({ ...old, host: chosen }), replace: true });
                }}
              >
                {hosts.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </Select>
            )}
            <Segmented<"1" | "6" | "24">
              label={t("system.span")}
              value={String(hours) as "1" | "6" | "24"}
              options={[
                { value: "1", label: t("system.hour") },
                { value: "6", label: t("system.sixHours") },
                { value: "24", label: t("system.day") },
              ]}
              onChange={(next) => {
                const span = next === "1" ? undefined : (Number(next) as 6 | 24);
                void navigate({ search: (old) => ({ ...old, hours: span }), replace: true });
              }}
            />
          </div>
        }
      />
      <QueryView query={history} loading={<Skeleton className="mx-5 mb-5 h-48" />}>
        {({ samples }) =>
          samples.length === 0 ? (
            <EmptyState icon={LineChart} title={t("system.history")}>
              {t("system.noHistory")}
            </EmptyState>
          ) : (
            <Charts samples={samples} />
          )
        }
      </QueryView>
    </Card>
  );
}

function Charts({ samples }: { samples: ResourceSample[] }) {
  const { t, format } = useI18n();
  const gpus = samples.at(-1)?.usage.gpus ?? [];
  const gpuOf = (sample: ResourceSample, index: number) => sample.usage.gpus?.find((gpu) => gpu.index === index);
  const lines: Line[] = [
    { name: t("system.cpu"), color: "--accent", read: ({ usage }) => usage.cpu * 100 },
    { name: t("system.memory"), color: "--blue", read: ({ usage }) => usage.memory_used_bytes / 1e9 },
    ...gpus.flatMap(({ index }): Line[] => [
      {
        name: t("system.gpu", { index: String(index) }),
        color: "--green",
        read: (sample) => {
          const share = gpuOf(sample, index)?.utilization;
          return typeof share === "number" ? share * 100 : null;
        },
      },
      {
        name: t("system.gpuMemory", { index: String(index) }),
        color: "--amber",
        read: (sample) => (gpuOf(sample, index)?.memory_used_bytes ?? 0) / 1e9,
      },
    ]),
  ];
  const now = Date.now();
  const minutes = samples.map((sample) => (Date.parse(sample.at) - now) / MINUTE_MS);
  return (
    <div className="grid gap-x-6 gap-y-4 px-4 pb-4 md:grid-cols-2" data-testid="resources">
      {lines.map((line) => {
        const values = samples.map(line.read);
        const last = values.findLast((value) => value !== null);
        return (
          <figure key={line.name} className="min-w-0">
            <figcaption className="flex items-baseline justify-between gap-3 px-1 pb-1 text-[0.8125rem]">
              <span className="font-medium">{line.name}</span>
              <span className="numeric font-semibold">{typeof last === "number" ? format.measure(last) : "–"}</span>
            </figcaption>
            <Suspense fallback={<Skeleton className="h-48" />}>
              <MetricChart
                label={line.name}
                steps={minutes}
                series={[{ name: line.name, color: line.color, values }]}
                stepLabel={t("system.minutesAgo")}
                format={format.measure}
              />
            </Suspense>
          </figure>
        );
      })}
    </div>
  );
}
