import { useQuery } from "@tanstack/react-query";
import { Bookmark, Play, ShieldCheck, Trash2 } from "lucide-react";
import { useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { type Checkpoint, isMoving, type Run, runQueries, useCheckpointDeed } from "./queries";

/** What can be gone back to: the best one marked, each verified, kept or removed by hand. */
export function CheckpointsCard({ run }: { run: Run }) {
  const { t } = useI18n();
  const isLive = run.status === "running";
  const checkpoints = useQuery({ ...runQueries.checkpoints(run.id), refetchInterval: isLive ? 5_000 : false });
  const deed = useCheckpointDeed(run.id);
  const [doomed, setDoomed] = useState<Checkpoint | null>(null);
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("runs.checkpoints")} />
      {deed.error && <ProblemNotice error={deed.error} className="mx-5 mb-3" />}
      <QueryView query={checkpoints}>
        {(items) =>
          items.length === 0 ? (
            <p className="px-5 pb-5 text-ink-soft">{t("runs.noCheckpoints")}</p>
          ) : (
            <Table label={t("runs.checkpoints")}>
              <thead>
                <tr>
                  <Th className="text-end">{t("runs.step")}</Th>
                  <Th className="text-end">{t("runs.loss")}</Th>
                  <Th className="text-end">{t("registry.size")}</Th>
                  <Th>
                    <span className="sr-only">{t("runs.state")}</span>
                  </Th>
                </tr>
              </thead>
              <tbody>
                {items.toReversed().map((checkpoint) => (
                  <Row
                    key={checkpoint.id}
                    checkpoint={checkpoint}
                    run={run}
                    deed={deed}
                    onDelete={() => setDoomed(checkpoint)}
                  />
                ))}
              </tbody>
            </Table>
          )
        }
      </QueryView>
      <ConfirmDialog
        open={doomed !== null}
        title={t("runs.removeCheckpoint", { step: doomed?.step ?? 0 })}
        text={t("runs.removeText")}
        confirm={t("runs.delete")}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && deed.mutate({ checkpoint: doomed.id, deed: "delete" })}
      />
    </Card>
  );
}

interface RowProps {
  checkpoint: Checkpoint;
  run: Run;
  deed: ReturnType<typeof useCheckpointDeed>;
  onDelete: () => void;
}

function Row({ checkpoint, run, deed, onDelete }: RowProps) {
  const { t, format } = useI18n();
  const loss = checkpoint.metrics.eval_loss ?? checkpoint.metrics.loss;
  const canResume = run.status === "stopped" || run.status === "failed";
  const act = (what: "keep" | "verify" | "resume") => deed.mutate({ checkpoint: checkpoint.id, deed: what });
  return (
    <Tr>
      <Td className="numeric text-end font-medium">{format.number(checkpoint.step)}</Td>
      <Td className="numeric text-end">{typeof loss === "number" ? format.measure(loss) : "–"}</Td>
      <Td className="numeric whitespace-nowrap text-end text-ink-soft">{format.bytes(checkpoint.size_bytes)}</Td>
      <Td>
        <span className="flex flex-wrap items-center justify-end gap-x-1.5 gap-y-1">
          {checkpoint.is_best && <Badge tone="accent">{t("runs.best")}</Badge>}
          {checkpoint.is_kept && <Badge tone="blue">{t("runs.kept")}</Badge>}
          {checkpoint.verified ? (
            <Badge tone="green">{t("runs.verified")}</Badge>
          ) : (
            <Badge tone="red">{t("runs.unverified")}</Badge>
          )}
          <fieldset aria-label={t("runs.more", { step: checkpoint.step })} className="flex">
            {!checkpoint.is_kept && (
              <Deed name={t("runs.keep")} title={t("runs.keepTitle")} icon={Bookmark} onClick={() => act("keep")} />
            )}
            <Deed name={t("runs.verify")} icon={ShieldCheck} onClick={() => act("verify")} />
            {canResume && checkpoint.verified && (
              <Deed name={t("runs.resumeFrom")} icon={Play} onClick={() => act("resume")} />
            )}
            {!isMoving(run) && <Deed name={t("runs.delete")} icon={Trash2} onClick={onDelete} />}
          </fieldset>
        </span>
      </Td>
    </Tr>
  );
}

interface DeedProps {
  name: string;
  title?: string;
  icon: typeof Play;
  onClick: () => void;
}

function Deed({ name, title, icon: Icon, onClick }: DeedProps) {
  return (
    <Button size="icon" variant="ghost" className="size-7" aria-label={name} title={title ?? name} onClick={onClick}>
      <Icon aria-hidden />
    </Button>
  );
}
