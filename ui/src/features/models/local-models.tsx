import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { HardDrive } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { type LocalModel, modelQueries } from "./queries";

/** The base models of the local store. */
export function LocalModels() {
  const { t } = useI18n();
  const models = useQuery(modelQueries.local());
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("models.local")} />
      <QueryView query={models}>
        {(items) =>
          items.length === 0 ? (
            <EmptyState icon={HardDrive} title={t("models.localEmptyTitle")}>
              {t("models.localEmptyText")}
            </EmptyState>
          ) : (
            <ModelTable models={items} />
          )
        }
      </QueryView>
    </Card>
  );
}

function ModelTable({ models }: { models: LocalModel[] }) {
  const { t, format } = useI18n();
  return (
    <Table label={t("models.local")}>
      <thead>
        <tr>
          <Th>{t("models.name")}</Th>
          <Th className="max-md:hidden">{t("models.architecture")}</Th>
          <Th className="text-end">{t("models.parameters")}</Th>
          <Th className="text-end max-sm:hidden">{t("models.size")}</Th>
          <Th className="max-md:hidden">{t("models.lastUsed")}</Th>
          <Th>
            <span className="sr-only">{t("models.chat")}</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {models.map((model) => (
          <Tr key={model.model_id}>
            <Td className="font-medium">{model.model_id}</Td>
            <Td className="text-ink-soft max-md:hidden">{model.architecture}</Td>
            <Td className="numeric text-end">{format.compact(model.num_parameters)}</Td>
            <Td className="numeric whitespace-nowrap text-end text-ink-soft max-sm:hidden">
              {format.bytes(model.size_bytes)}
            </Td>
            <Td className="text-ink-soft max-md:hidden">
              {model.last_used ? <TimeAgo time={model.last_used} /> : t("models.never")}
            </Td>
            <Td>
              <span className="flex justify-end gap-2">
                <Button asChild size="small">
                  <Link to="/chat" search={{ model: model.model_id }}>
                    {t("models.chat")}
                  </Link>
                </Button>
                <Button asChild size="small">
                  <Link to="/train" search={{ base: model.model_id }}>
                    {t("models.train")}
                  </Link>
                </Button>
              </span>
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
