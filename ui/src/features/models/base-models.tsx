import { useQuery } from "@tanstack/react-query";
import { HardDrive, SearchX } from "lucide-react";
import { useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { SearchField } from "@/components/search-field";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { Downloads } from "./downloads";
import { ModelCard } from "./model-card";
import { type Filters, modelQueries, type Source, USES, type Use } from "./queries";

const LICENSES = ["apache-2.0", "mit", "gemma", "llama3.2", "cc-by-nc-4.0"];

/** What one can start from: the local store and the Hub, with what fits on this machine. */
export function BaseModels() {
  const { t } = useI18n();
  const [source, setSource] = useState<Source>("local");
  const [search, setSearch] = useState("");
  const [fits, setFits] = useState<Use | "">("");
  const [license, setLicense] = useState("");
  const [page, setPage] = useState(1);
  const change = (apply: () => void) => {
    apply();
    setPage(1);
  };
  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("models.local")}
        description={t(source === "hub" ? "models.hubText" : "models.localText")}
        action={
          <Segmented
            label={t("models.source")}
            value={source}
            options={[
              { value: "local", label: t("models.here") },
              { value: "hub", label: t("models.hub") },
            ]}
            onChange={(next) => change(() => setSource(next))}
          />
        }
      />
      <div className="grid gap-2.5 px-5 pb-4 sm:grid-cols-[1fr_11rem_11rem]">
        <SearchField label={t("models.search")} onSearch={(text) => change(() => setSearch(text))} />
        <Select
          aria-label={t("models.fits")}
          value={fits}
          onChange={(event) => change(() => setFits(event.currentTarget.value as Use | ""))}
        >
          <option value="">{t("models.fitsAny")}</option>
          {USES.map((use) => (
            <option key={use} value={use}>
              {t("models.fitsFor", { use: t(`models.uses.${use}`) })}
            </option>
          ))}
        </Select>
        <Select
          aria-label={t("models.license")}
          value={license}
          onChange={(event) => change(() => setLicense(event.currentTarget.value))}
        >
          <option value="">{t("models.licenseAny")}</option>
          {LICENSES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
      </div>
      <Downloads />
      <ModelGrid filters={{ source, search, fits, license, page }} onPage={setPage} />
    </Card>
  );
}

function ModelGrid({ filters, onPage }: { filters: Filters; onPage: (page: number) => void }) {
  const { t } = useI18n();
  const models = useQuery(modelQueries.list(filters));
  const isFiltered = filters.search !== "" || filters.fits !== "" || filters.license !== "";
  return (
    <QueryView query={models}>
      {(list) =>
        list.items.length === 0 ? (
          <EmptyState
            icon={isFiltered ? SearchX : HardDrive}
            title={t(isFiltered ? "models.noMatchTitle" : "models.localEmptyTitle")}
          >
            {t(isFiltered ? "models.noMatchText" : "models.localEmptyText")}
          </EmptyState>
        ) : (
          <>
            <ul aria-label={t("models.local")} className="grid gap-4 px-5 pb-5 md:grid-cols-2">
              {list.items.map((model) => (
                <ModelCard key={`${model.source}/${model.model_id}`} model={model} />
              ))}
            </ul>
            {(filters.page > 1 || list.has_more) && (
              <nav aria-label={t("common.pages")} className="flex justify-end gap-1.5 border-line border-t px-5 py-3">
                <Button size="small" disabled={filters.page <= 1} onClick={() => onPage(filters.page - 1)}>
                  {t("common.previous")}
                </Button>
                <Button size="small" disabled={!list.has_more} onClick={() => onPage(filters.page + 1)}>
                  {t("common.next")}
                </Button>
              </nav>
            )}
          </>
        )
      }
    </QueryView>
  );
}
