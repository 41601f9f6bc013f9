import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Boxes, MessageSquare } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { PagedList } from "@/components/paged-list";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { PAGE_SIZE, registryQueries, type Version } from "./queries";

/** What was trained and registered here, newest first. */
export function VersionList({ page, onPage }: { page: number; onPage: (page: number) => void }) {
  const { t } = useI18n();
  const versions = useQuery(registryQueries.list({ page }));
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("registry.title")} />
      <PagedList
        query={versions}
        page={page}
        pageSize={PAGE_SIZE}
        onPage={onPage}
        empty={
          <EmptyState
            icon={Boxes}
            title={t("registry.emptyTitle")}
            action={
              <Button asChild variant="primary">
                <Link to="/train">{t("home.startTraining")}</Link>
              </Button>
            }
          >
            {t("registry.emptyText")}
          </EmptyState>
        }
      >
        {(items) => (
          <ul className="grid gap-4 px-5 pt-1 pb-5 sm:grid-cols-2 lg:grid-cols-3">
            {items.map((version) => (
              <VersionCard key={version.id} version={version} />
            ))}
          </ul>
        )}
      </PagedList>
    </Card>
  );
}

function VersionCard({ version }: { version: Version }) {
  const { t, format } = useI18n();
  return (
    <li className="flex flex-col rounded-lg border border-line p-4 transition-colors hover:border-line-strong">
      <div className="flex items-start justify-between gap-2">
        <Link
          to="/models/$id"
          params={{ id: String(version.id) }}
          className="min-w-0 break-words font-semibold hover:text-accent hover:underline"
        >
          {version.model_name}
          <span className="font-normal text-ink-faint"> @{version.version}</span>
        </Link>
        <StateBadge state={version.status} />
      </div>
      <p className="mt-1 truncate text-[0.8125rem] text-ink-soft">{version.base_model}</p>
      <p className="numeric mt-0.5 text-ink-faint text-xs">
        {typeof version.model_size_gb === "number" && `${format.bytes(version.model_size_gb * 1e9)} · `}
        <TimeAgo time={version.created_at} />
      </p>
      {version.tags.length > 0 && (
        <p className="mt-2 flex flex-wrap gap-1">
          {version.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </p>
      )}
      <div className="mt-auto pt-3">
        <Button asChild size="small">
          <Link to="/chat" search={{ model: version.base_model, beside: version.reference }}>
            <MessageSquare aria-hidden />
            {t("registry.compare")}
          </Link>
        </Button>
      </div>
    </li>
  );
}
