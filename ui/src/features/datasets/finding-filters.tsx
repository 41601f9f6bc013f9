import { getRouteApi } from "@tanstack/react-router";
import { Select } from "@/components/ui/field";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import type { FindingCounts, Severity } from "./queries";

const route = getRouteApi("/data/$id");

interface FindingFiltersProps {
  counts: FindingCounts;
  severity: Severity | undefined;
  code: string | undefined;
}

export function FindingFilters({ counts, severity, code }: FindingFiltersProps) {
  const { t, known, format } = useI18n();
  const navigate = route.useNavigate();
  const all = counts.red + counts.amber + counts.green;
  const label = (name: string, count: number) => (
    <>
      {name} <span className="numeric text-ink-faint">{format.number(count)}</span>
    </>
  );
  return (
    <div className="flex flex-wrap items-center gap-3 border-line border-b px-5 py-3">
      <Segmented<Severity | "all">
        label={t("data.severity")}
        value={severity ?? "all"}
        options={[
          { value: "all", label: label(t("data.all"), all) },
          { value: "red", label: label(t("data.red"), counts.red) },
          { value: "amber", label: label(t("data.amber"), counts.amber) },
          { value: "green", label: label(t("data.green"), counts.green) },
        ]}
        onChange={(next) => {
          const chosen = next === "all" ? undefined : next;
          void navigate({ search: (old) => ({ ...old, severity: chosen, page: undefined }), replace: true });
        }}
      />
      <Select
        aria-label={t("data.kindOfFinding")}
        className="min-w-52 flex-1 sm:max-w-xs"
        value={code ?? ""}
        onChange={(event) => {
          const chosen = event.currentTarget.value || undefined;
          void navigate({ search: (old) => ({ ...old, code: chosen, page: undefined }), replace: true });
        }}
      >
        <option value="">{t("data.everyKind")}</option>
        {Object.entries(counts.by_code).map(([name, count]) => (
          <option key={name} value={name}>
            {known("findings", name, name)} ({format.number(count)})
          </option>
        ))}
      </Select>
    </div>
  );
}
