import { useQuery } from "@tanstack/react-query";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { ExportItem } from "./export-item";
import { ExportWizard } from "./export-wizard";
import { registryQueries } from "./queries";

/** The artefacts of a version, each with the proof that it answers as its source does; and a way to make another. */
export function ExportsCard({ id, reference }: { id: number; reference: string }) {
  const { t } = useI18n();
  const exports = useQuery(registryQueries.exports(id));
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("registry.exports")} />
      <QueryView query={exports}>
        {(items) =>
          items.length === 0 ? (
            <p className="px-5 pb-4 text-ink-soft">{t("exports.none")}</p>
          ) : (
            <ul className="divide-y divide-line border-line border-t">
              {items.map((one) => (
                <ExportItem key={one.id} version={id} one={one} />
              ))}
            </ul>
          )
        }
      </QueryView>
      <ExportWizard id={id} reference={reference} />
    </Card>
  );
}
