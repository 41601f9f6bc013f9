import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import type { ExplorationWarning } from "./queries";

const ICONS = { red: CircleAlert, amber: TriangleAlert, green: Info };
const TONES = { red: "text-red", amber: "text-amber", green: "text-green" };

/** What a person should look at before training, the most severe first. */
export function WarningList({ warnings }: { warnings: readonly ExplorationWarning[] }) {
  const { t, say } = useI18n();
  return (
    <Card className="overflow-clip">
      <CardHeader title={t("explore.warnings")} />
      <ul data-testid="warnings" className="divide-y divide-line border-line border-t">
        {warnings.map((warning) => {
          const Icon = ICONS[warning.severity];
          const values = { ...warning.values, column: warning.column ?? "" };
          return (
            <li key={`${warning.code}-${warning.column}`} className="flex gap-3 px-5 py-3">
              <Icon aria-hidden className={`mt-0.5 size-4.5 shrink-0 ${TONES[warning.severity]}`} />
              <div className="min-w-0">
                <p>{say("warnings", warning.code, values) ?? warning.message}</p>
                <p className="text-[0.8125rem] text-ink-soft">
                  {say("warningHints", warning.code, values) ?? warning.hint}
                </p>
              </div>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
