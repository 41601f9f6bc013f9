import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { MessageSquare } from "lucide-react";
import { lazy, Suspense } from "react";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { PagePending } from "@/components/shell/page-pending";
import { Stat } from "@/components/stat";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { ExportsCard } from "./exports-card";
import { registryQueries } from "./queries";

const Markdown = lazy(() => import("@/components/markdown"));
const route = getRouteApi("/models/$id");

export function VersionPage() {
  const { t, format } = useI18n();
  const id = Number(route.useParams().id);
  const version = useQuery(registryQueries.detail(id));
  const card = useQuery(registryQueries.card(id));
  const trail = (
    <Link to="/models" className="hover:text-accent hover:underline">
      {t("models.title")}
    </Link>
  );
  if (version.isError && !version.data) {
    return (
      <Page title={t("registry.versionTitle")} trail={trail}>
        <ProblemNotice error={version.error} onRetry={() => void version.refetch()} />
      </Page>
    );
  }
  if (!version.data) return <PagePending />;
  const { reference, base_model, status, job_id, model_size_gb, created_at } = version.data;
  return (
    <Page
      title={reference}
      trail={trail}
      badge={<StateBadge state={status} />}
      actions={
        <Button asChild variant="primary">
          <Link to="/chat" search={{ model: base_model, beside: reference }}>
            <MessageSquare aria-hidden />
            {t("registry.compare")}
          </Link>
        </Button>
      }
    >
      <Card>
        <dl className="grid grid-cols-2 divide-line max-md:divide-y md:grid-cols-4 md:divide-x">
          <Stat label={t("registry.base")}>{base_model}</Stat>
          <Stat label={t("registry.size")}>
            {typeof model_size_gb === "number" ? format.bytes(model_size_gb * 1e9) : "–"}
          </Stat>
          <Stat label={t("common.created")}>
            <TimeAgo time={created_at} />
          </Stat>
          <Stat label={t("runs.oneTitle")}>
            {typeof job_id === "number" ? (
              <Link to="/runs/$id" params={{ id: String(job_id) }} className="text-accent hover:underline">
                #{job_id}
              </Link>
            ) : (
              "–"
            )}
          </Stat>
        </dl>
      </Card>
      <div className="mt-6 grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)]">
        <Card>
          <CardHeader title={t("registry.card")} />
          <QueryView query={card}>
            {(markdown) => (
              <Suspense fallback={<SkeletonRows />}>
                <Markdown text={markdown} className="px-5 pb-5" />
              </Suspense>
            )}
          </QueryView>
        </Card>
        <ExportsCard id={id} reference={reference} />
      </div>
    </Page>
  );
}
