import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FileBox } from "lucide-react";
import { useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { EmptyState } from "@/components/empty-state";
import { PagedList } from "@/components/paged-list";
import { ProblemNotice } from "@/components/problem";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { type Conversion, ggufQueries, PAGE_SIZE, useClearHistory } from "./queries";

/** The conversions of this person, newest first, with the files that they made. */
export function HistoryCard() {
  const { t } = useI18n();
  const [page, setPage] = useState(1);
  const [asking, setAsking] = useState(false);
  const history = useQuery(ggufQueries.history(page));
  const clear = useClearHistory();
  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("gguf.history")}
        action={
          (history.data?.total ?? 0) > 0 && (
            <Button size="small" variant="ghost" pending={clear.isPending} onClick={() => setAsking(true)}>
              {t("gguf.clear")}
            </Button>
          )
        }
      />
      {clear.isError && <ProblemNotice error={clear.error} className="mx-5 mb-4" />}
      <PagedList
        query={history}
        page={page}
        pageSize={PAGE_SIZE}
        onPage={setPage}
        empty={
          <EmptyState icon={FileBox} title={t("gguf.empty")}>
            {t("gguf.emptyText")}
          </EmptyState>
        }
      >
        {(items) => (
          <Table label={t("gguf.history")}>
            <thead>
              <tr>
                <Th>{t("gguf.model")}</Th>
                <Th>{t("gguf.state")}</Th>
                <Th>{t("gguf.files")}</Th>
                <Th>{t("gguf.when")}</Th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <Row key={one.id} one={one} />
              ))}
            </tbody>
          </Table>
        )}
      </PagedList>
      <ConfirmDialog
        open={asking}
        title={t("gguf.clearTitle")}
        text={t("gguf.clearText")}
        confirm={t("gguf.clear")}
        onConfirm={() => clear.mutate(undefined, { onSuccess: () => setPage(1) })}
        onClose={() => setAsking(false)}
      />
    </Card>
  );
}

function Row({ one }: { one: Conversion }) {
  const { t, format } = useI18n();
  return (
    <Tr>
      <Td>
        <Link to="/jobs/$id" params={{ id: String(one.job_id) }} className="font-medium hover:text-accent">
          {one.model}
        </Link>
        <div className="text-ink-faint text-xs">
          {one.methods.join(", ")}
          {one.uses_importance && ` · ${t("gguf.withImportance")}`}
        </div>
      </Td>
      <Td>
        <StateBadge state={one.state} />
        {one.error && <p className="mt-1 max-w-72 text-red text-xs">{one.error}</p>}
      </Td>
      <Td>
        <ul className="space-y-1.5">
          {one.files.map((file) => (
            <li key={file.export_id}>
              <a
                className="font-medium hover:text-accent"
                href={`/api/v1/admin/exports/${file.export_id}/download`}
                download
              >
                {file.method}
              </a>{" "}
              <span className="numeric text-ink-soft">
                {format.bytes(file.size_bytes)} ·{" "}
                {t("gguf.compression", { ratio: format.number(file.compression_ratio, 2) })}
              </span>
              {file.status === "failed" && <span className="ml-1 text-red text-xs">{t("gguf.failedFile")}</span>}
              <code className="block max-w-80 select-all truncate font-mono text-ink-faint text-xs" title={file.path}>
                {file.path}
              </code>
            </li>
          ))}
        </ul>
      </Td>
      <Td className="whitespace-nowrap text-ink-soft">
        <TimeAgo time={one.created_at} />
      </Td>
    </Tr>
  );
}
