import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";

export function NotFound() {
  const { t } = useI18n();
  return (
    <Page title={t("shell.notFoundTitle")}>
      <EmptyState
        icon={Compass}
        title={t("shell.notFoundTitle")}
        action={
          <Button asChild variant="primary">
            <Link to="/">{t("shell.toHome")}</Link>
          </Button>
        }
      >
        {t("shell.notFoundText")}
      </EmptyState>
    </Page>
  );
}
