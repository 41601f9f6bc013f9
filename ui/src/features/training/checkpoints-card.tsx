import { useQuery } from "@tanstack/react-query";
import { QueryView } from "@/components/query-view";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { runQueries } from "./queries";

export function CheckpointsCard({ id, isLive }: { id: number; isLive: boolean }) {
  const { t, format } = useI18n();
  const checkpoints = useQuery({ ...runQueries.checkpoints(id), refetchInterval: isLive ? 5_000 : false });
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("runs.checkpoints")} />
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
                {items.toReversed().map((checkpoint) => {
                  const loss = checkpoint.metrics.eval_loss;
                  return (
                    <Tr key={checkpoint.id}>
                      <Td className="numeric text-end font-medium">{format.number(checkpoint.step)}</Td>
                      <Td className="numeric text-end">{typeof loss === "number" ? format.measure(loss) : "–"}</Td>
                      <Td className="numeric whitespace-nowrap text-end text-ink-soft">
                        {format.bytes(checkpoint.size_bytes)}
                      </Td>
                      <Td>
                        <span className="flex justify-end gap-1.5">
                          {checkpoint.is_best && <Badge tone="accent">{t("runs.best")}</Badge>}
                          {checkpoint.verified ? (
                            <Badge tone="green">{t("runs.verified")}</Badge>
                          ) : (
                            <Badge tone="amber">{t("runs.unverified")}</Badge>
                          )}
                        </span>
                      </Td>
                    </Tr>
                  );
                })}
              </tbody>
            </Table>
          )
        }
      </QueryView>
    </Card>
  );
}
