import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useEffect } from "react";
import { asApiError } from "@/api/errors";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { YamlEditor } from "@/components/yaml-editor";
import { datasetQueries } from "@/features/datasets/queries";
import { modelQueries } from "@/features/models/queries";
import { useDebounced } from "@/hooks/use-debounced";
import { findMessage, useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { lineOf } from "@/lib/recipe-document";
import { readFields } from "@/lib/schema-fields";
import { ForecastPanel } from "./forecast-panel";
import { MethodChooser } from "./method-chooser";
import { PresetChooser } from "./preset-chooser";
import { useStartRun } from "./queries";
import { RecipeForm } from "./recipe-form";
import { faultsByField, isUnstarted, normalise, type RecipeFault } from "./recipe-layout";
import { recipeQueries } from "./recipe-queries";
import { RecipeVerdict } from "./recipe-verdict";
import { SourceChoosers } from "./source-choosers";
import { useRecipeDraft } from "./use-recipe-draft";

const route = getRouteApi("/train");
const SETTLE_MS = 300;

export function TrainPage() {
  const { t, locale } = useI18n();
  const { view = "form" } = route.useSearch();
  const setSearch = route.useNavigate();
  const navigate = useNavigate();
  const draft = useRecipeDraft();
  usePrefill(draft);

  const schema = useQuery(recipeQueries.schema());
  const settled = useDebounced(draft.text, SETTLE_MS);
  const isBroken = draft.parsed.problem !== null;
  const validation = useQuery({ ...recipeQueries.validation(settled), enabled: !isBroken && !draft.isBlank });
  const start = useStartRun();

  const refused = start.error ? (asApiError(start.error).problem.errors ?? []) : [];
  const found: readonly RecipeFault[] =
    isBroken || !validation.data || validation.data.valid ? refused : validation.data.errors;
  const unstarted = isUnstarted(found);
  const errors = unstarted ? [] : found;
  const say = (fault: RecipeFault) =>
    findMessage(locale, `train.fault.${fault.reason}`, { message: fault.message, allowed: fault.allowed ?? "" }) ??
    fault.message;
  const marked = new Set(
    errors.map((error) => lineOf(draft.text, normalise(error.location).split("."))).filter((line) => line !== null),
  );
  if (draft.parsed.problem) marked.add(draft.parsed.problem.line);
  const isChecking = settled !== draft.text || validation.isFetching;

  const send = () => {
    if (!draft.parsed.value) return;
    start.mutate(draft.parsed.value, {
      onSuccess: (run) => void navigate({ to: "/runs/$id", params: { id: String(run.id) } }),
    });
  };

  return (
    <Page
      title={t("train.title")}
      description={t("train.description")}
      className="max-w-7xl"
      actions={<PresetChooser onChoose={draft.choosePreset} onStartOver={draft.startOver} />}
    >
      <Segmented
        className="mb-3 lg:hidden"
        label={t("train.view")}
        value={view}
        options={[
          { value: "form", label: t("train.form") },
          { value: "yaml", label: t("train.recipe") },
        ]}
        onChange={(next) => void setSearch({ search: (old) => ({ ...old, view: next }), replace: true })}
      />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1.25fr)_minmax(0,1fr)]">
        <Card className={cn("p-5", view === "yaml" && "max-lg:hidden")} aria-label={t("train.form")}>
          <QueryView query={schema}>
            {(document) => {
              const fields = readFields(document);
              const faults = faultsByField(errors, fields, say);
              const form = { values: draft.values, errors: faults.byField, onChange: draft.change };
              return (
                <form onSubmit={(event) => event.preventDefault()}>
                  {faults.other.length > 0 && (
                    <ul
                      role="alert"
                      className="mb-5 list-disc rounded-lg bg-red-soft py-3 pr-4 pl-8 text-[0.8125rem] text-red"
                    >
                      {faults.other.map((fault) => (
                        <li key={`${fault.location}-${fault.message}`}>
                          {fault.location && <code className="mr-1 font-mono text-xs">{fault.location}</code>}
                          {fault.message}
                        </li>
                      ))}
                    </ul>
                  )}
                  <SourceChoosers
                    {...form}
                    onDataset={draft.chooseDataset}
                    onBase={(model) => draft.change(["model", "base"], model)}
                  />
                  <MethodChooser fields={fields} values={draft.values} onChange={draft.change} />
                  <RecipeForm fields={fields} {...form} />
                </form>
              );
            }}
          </QueryView>
        </Card>
        <div className="space-y-4 lg:sticky lg:top-20">
          <Card className={cn("overflow-hidden", view === "form" && "max-lg:hidden")} aria-label={t("train.recipe")}>
            <YamlEditor
              label={t("train.yamlLabel")}
              value={draft.text}
              onChange={draft.setText}
              marked={marked}
              className="h-[min(60dvh,36rem)]"
            />
          </Card>
          <RecipeVerdict
            problem={draft.parsed.problem}
            count={errors.length}
            state={
              isBroken
                ? "broken"
                : isChecking
                  ? "checking"
                  : errors.length > 0
                    ? "invalid"
                    : unstarted || !validation.data
                      ? "idle"
                      : "valid"
            }
          />
          <ForecastPanel recipe={draft.parsed.value} disabled={isBroken || isChecking || !validation.data?.valid} />
          {validation.isError && <ProblemNotice error={validation.error} />}
          {start.isError && refused.length === 0 && <ProblemNotice error={start.error} />}
          <Button
            variant="primary"
            size="large"
            className="w-full"
            pending={start.isPending}
            disabled={isBroken || isChecking || !validation.data?.valid}
            onClick={send}
          >
            <Play aria-hidden />
            {t("train.start")}
          </Button>
          <p className="text-center text-ink-faint text-xs">{t("train.startHint")}</p>
        </div>
      </div>
    </Page>
  );
}

/** Brings what the address names, else the newest ready dataset and the first base model, into an unwritten recipe. */
function usePrefill(draft: ReturnType<typeof useRecipeDraft>) {
  const { dataset: datasetId, base } = route.useSearch();
  const setSearch = route.useNavigate();
  const named = useQuery({ ...datasetQueries.detail(datasetId ?? 0), enabled: datasetId !== undefined });
  const datasets = useQuery(datasetQueries.choices());
  const models = useQuery(modelQueries.local());
  const { isBlank, change, chooseDataset } = draft;
  const isAsked = datasetId !== undefined || base !== undefined;
  const isSettled = !(datasetId === undefined ? datasets : named).isPending && !models.isPending;
  const dataset = named.data ?? datasets.data?.items.find((one) => one.status === "ready" && !isHeldOut(one.name));

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once the answers are here, not at every change of the draft
  useEffect(() => {
    if (!isSettled || !(isAsked || isBlank)) return;
    const model = base ?? (isBlank ? models.data?.[0]?.model_id : undefined);
    if (model) change(["model", "base"], model);
    if (dataset && (isBlank || datasetId !== undefined)) chooseDataset(dataset);
    if (isAsked) void setSearch({ search: (old) => ({ view: old.view }), replace: true });
  }, [isSettled, isAsked, isBlank]);
}

/** Whether a name is that of a part which a split keeps for judging: not what somebody means to train on. */
const isHeldOut = (name: string) => /-(validation|test)$/.test(name);
