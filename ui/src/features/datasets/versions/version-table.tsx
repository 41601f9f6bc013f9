import { Link } from "@tanstack/react-router";
import { Archive, ArchiveRestore, GitCompareArrows, Trash2 } from "lucide-react";
import { useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNotice } from "@/components/problem";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { QualityMeter } from "../quality-meter";
import { DiffFigures } from "./diff-figures";
import { useVersionAction, type Version } from "./queries";

interface VersionTableProps {
  versions: readonly Version[];
  current: number;
  onCompare: (other: number) => void;
}

/** Every version of the dataset, newest first, and what can be done with each. */
export function VersionTable({ versions, current, onCompare }: VersionTableProps) {
  const { t, known, format } = useI18n();
  const action = useVersionAction();
  const [leaving, setLeaving] = useState<Version | null>(null);
  return (
    <>
      {action.isError && <ProblemNotice error={action.error} className="mx-5 mb-3" />}
      <Table label={t("versions.title")} data-testid="versions">
        <thead>
          <tr>
            <Th>{t("versions.version")}</Th>
            <Th>{t("data.status")}</Th>
            <Th>{t("versions.madeBy")}</Th>
            <Th>{t("versions.difference")}</Th>
            <Th className="text-end">{t("data.rows")}</Th>
            <Th className="max-md:hidden">{t("data.quality")}</Th>
            <Th className="max-md:hidden">{t("common.created")}</Th>
            <Th>
              <span className="sr-only">{t("versions.actions")}</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => (
            <Tr key={version.id} className={version.id === current ? "bg-accent-soft/40" : undefined}>
              <Td className="whitespace-nowrap">
                <Link
                  to="/data/$id/versions"
                  params={{ id: String(version.id) }}
                  aria-current={version.id === current ? "page" : undefined}
                  className="numeric font-medium hover:text-accent hover:underline"
                >
                  {version.version}
                </Link>
                {version.id === current && <span className="ml-2 text-ink-faint text-xs">{t("versions.shown")}</span>}
              </Td>
              <Td>
                <StateBadge state={version.purged_at ? "purged" : version.status} />
              </Td>
              <Td className="whitespace-nowrap text-ink-soft">
                {known("steps", version.operation, version.operation)}
              </Td>
              <Td>{version.diff ? <DiffFigures diff={version.diff} /> : <span className="text-ink-faint">–</span>}</Td>
              <Td className="numeric text-end">{version.rows === null ? "–" : format.number(version.rows)}</Td>
              <Td className="max-md:hidden">
                <QualityMeter score={version.quality_score} />
              </Td>
              <Td className="text-ink-soft max-md:hidden">
                <TimeAgo time={version.created_at} />
              </Td>
              <Td>
                <span className="flex justify-end gap-0.5">
                  {version.id !== current && !version.purged_at && (
                    <Action label={t("versions.compare")} onClick={() => onCompare(version.id)}>
                      <GitCompareArrows aria-hidden />
                    </Action>
                  )}
                  {version.status !== "archived" && (
                    <Action
                      label={t("versions.archive")}
                      onClick={() => action.mutate({ id: version.id, action: "archive" })}
                    >
                      <Archive aria-hidden />
                    </Action>
                  )}
                  {version.status === "archived" && !version.purged_at && (
                    <>
                      <Action
                        label={t("versions.restore")}
                        onClick={() => action.mutate({ id: version.id, action: "restore" })}
                      >
                        <ArchiveRestore aria-hidden />
                      </Action>
                      <Action label={t("versions.purge")} onClick={() => setLeaving(version)}>
                        <Trash2 aria-hidden className="text-red" />
                      </Action>
                    </>
                  )}
                </span>
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      <ConfirmDialog
        open={leaving !== null}
        title={t("versions.purgeTitle", { version: leaving?.version ?? "" })}
        text={t("versions.purgeText")}
        confirm={t("versions.purge")}
        onClose={() => setLeaving(null)}
        onConfirm={() => leaving && action.mutate({ id: leaving.id, action: "purge" })}
      />
    </>
  );
}

interface ActionProps {
  label: string;
  onClick: () => void;
  children: React.ReactNode;
}

function Action({ label, onClick, children }: ActionProps) {
  return (
    <Button size="icon" variant="ghost" title={label} aria-label={label} onClick={onClick}>
      {children}
    </Button>
  );
}
