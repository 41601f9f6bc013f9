import { Link } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { useI18n } from "@/i18n";
import { ConvertCard } from "./convert-card";
import { HistoryCard } from "./history-card";
import { MethodsCard } from "./methods-card";
import { StatisticsCard } from "./statistics-card";
import { ValidateCard } from "./validate-card";

/** Everything about GGUF files: what to take, making them, checking them, what was made. */
export function GgufPage() {
  const { t } = useI18n();
  return (
    <Page
      title={t("gguf.title")}
      description={t("gguf.description")}
      trail={
        <Link to="/models" className="hover:text-ink">
          {t("gguf.back")}
        </Link>
      }
    >
      <div className="space-y-6">
        <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
          <ConvertCard />
          <ValidateCard />
        </div>
        <MethodsCard />
        <StatisticsCard />
        <HistoryCard />
      </div>
    </Page>
  );
}
