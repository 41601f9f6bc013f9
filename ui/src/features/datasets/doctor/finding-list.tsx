import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { WandSparkles } from "lucide-react";
import { Pagination } from "@/components/pagination";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { PreviewPanel } from "../derivation/preview-panel";
import { useDerive, usePreview } from "../derivation/queries";
import { type DatasetDetail, type Finding, type FindingGroup, PAGE_SIZE } from "../queries";
import { FindingItem } from "./finding-item";
import { PersonalDataPanel } from "./personal-data-panel";

const route = getRouteApi("/data/$id/doctor");

interface FindingListProps {
  dataset: DatasetDetail;
  findings: Finding[];
  total: number;
  groups: readonly FindingGroup[];
  group: FindingGroup | undefined;
  page: number;
}

export function FindingList({ dataset, findings, total, groups, group, page }: FindingListProps) {
  const { t, known, format } = useI18n();
  const navigate = useNavigate();
  const turn = route.useNavigate();
  const preview = usePreview(dataset.id, "fix");
  const fixes = useDerive(dataset, "fix", ({ dataset: made, changed }) => {
    if (changed) void navigate({ to: "/data/$id/doctor", params: { id: String(made.id) } });
  });
  const wanted = preview.variables;
  const isArchived = dataset.status === "archived";
  const isOpen = preview.isPending || preview.data !== undefined || preview.isError;
  const isPersonal = group?.code.startsWith("pii-") ?? false;
  const code = group?.code;

  return (
    <Card className="min-w-0 overflow-clip">
      {group && (
        <header className="flex flex-wrap items-start justify-between gap-3 border-line border-b px-5 py-4">
          <div className="min-w-0 max-w-xl">
            <h2 className="font-semibold">{known("findings", group.code, group.title)}</h2>
            <p className="text-[0.8125rem] text-ink-soft">{known("fixes", group.code, group.fix)}</p>
          </div>
          <span className="flex flex-wrap gap-2">
            {group.code === "near-duplicate" && (
              <Button asChild>
                <Link
                  to="/data/$id/doctor"
                  params={{ id: String(dataset.id) }}
                  search={(old) => ({ ...old, cluster: 1 })}
                >
                  {t("doctor.clusters")}
                </Link>
              </Button>
            )}
            {group.fixable && !isPersonal && (
              <Button
                pending={preview.isPending && !wanted?.rows}
                disabled={isArchived}
                onClick={() => preview.mutate({ codes: [group.code] })}
              >
                <WandSparkles aria-hidden />
                {group.count === 1 ? t("doctor.fixOne") : t("doctor.fixKind", { count: format.number(group.count) })}
              </Button>
            )}
          </span>
        </header>
      )}
      {isPersonal && <PersonalDataPanel dataset={dataset} groups={groups} />}
      {isOpen && (
        <PreviewPanel
          title={
            wanted?.rows
              ? t("doctor.fixRowTitle", { row: format.number(wanted.rows[0] ?? 0) })
              : t("doctor.fixKindTitle")
          }
          preview={preview}
          work={fixes}
          onApply={() => wanted && fixes.start(wanted)}
          onClose={preview.reset}
        />
      )}
      {findings.length === 0 ? (
        <p className="px-5 py-10 text-center text-ink-soft">{t("data.noFindingsHere")}</p>
      ) : (
        <ul data-testid="findings" className="divide-y divide-line">
          {findings.map((finding, index) => (
            <FindingItem
              // biome-ignore lint/suspicious/noArrayIndexKey: a row may have the same finding at one place twice
              key={`${finding.code}-${finding.row}-${finding.pointer}-${index}`}
              id={dataset.id}
              finding={finding}
              isAlone={code !== undefined}
              onFix={
                isArchived || finding.row === null || !finding.fixable
                  ? undefined
                  : () => preview.mutate({ codes: [finding.code], rows: [finding.row ?? 0] })
              }
            />
          ))}
        </ul>
      )}
      <Pagination
        page={page}
        pageSize={PAGE_SIZE}
        total={total}
        onPage={(next) => void turn({ search: (old) => ({ ...old, page: next }) })}
      />
    </Card>
  );
}
