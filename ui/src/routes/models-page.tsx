import { getRouteApi, Link } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { BaseModels } from "@/features/models/base-models";
import { VersionList } from "@/features/registry/version-list";
import { useI18n } from "@/i18n";

const route = getRouteApi("/models");

/** Two features on one page: what one can start from, and what came out. */
export function ModelsPage() {
  const { t } = useI18n();
  const { page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      title={t("models.title")}
      description={t("models.description")}
      actions={
        <Button asChild>
          <Link to="/gguf">{t("gguf.title")}</Link>
        </Button>
      }
    >
      <div className="space-y-8">
        <BaseModels />
        <VersionList page={page} onPage={(next) => void navigate({ search: { page: next } })} />
      </div>
    </Page>
  );
}
