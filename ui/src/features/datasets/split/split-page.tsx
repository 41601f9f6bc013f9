import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { JobProgress } from "@/components/job-progress";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Field, Input, Select } from "@/components/ui/field";
import { Switch } from "@/components/ui/switch";
import { useStoredState } from "@/hooks/use-stored-state";
import { useTask } from "@/hooks/use-task";
import { useI18n } from "@/i18n";
import { datasetQueries } from "../queries";
import { useDataset } from "../use-dataset";
import { type SplitBody, type SplitResult, sendSplit } from "./queries";
import { ShareBar } from "./share-bar";
import { PARTS, type Percents, sumOf } from "./shares";
import { SplitOutcome } from "./split-outcome";

interface Settings {
  percents: Percents;
  seed: number;
  stratifyBy: string;
  groupBy: string;
  nearDuplicates: boolean;
  threshold: number;
}

const START: Settings = {
  percents: { train: 80, validation: 10, test: 10 },
  seed: 42,
  stratifyBy: "",
  groupBy: "",
  nearDuplicates: true,
  threshold: 0.95,
};

/** Cuts a dataset into parts that give nothing away about each other. */
export function SplitPage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const [settings, setSettings] = useStoredState<Settings>(`tunesmith.split.${dataset.id}`, START);
  const [made, setMade] = useStoredState<SplitResult | null>(`tunesmith.splitted.${dataset.id}`, null);
  const columns = useQuery(datasetQueries.rows(dataset.id, 0)).data?.columns ?? [];
  const [isTouched, setTouched] = useState(false);
  const split = useTask<SplitBody, SplitResult>({
    key: `split.${dataset.id}`,
    send: (body) => sendSplit(dataset.id, body),
    onDone: setMade,
  });
  const { percents, seed, stratifyBy, groupBy, nearDuplicates, threshold } = settings;
  const sum = sumOf(percents);
  const nothingHeldOut = percents.validation === 0 && percents.test === 0;
  const isReady = dataset.status === "ready";
  const change = (next: Partial<Settings>) => {
    setTouched(true);
    setSettings({ ...settings, ...next });
  };

  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    setTouched(false);
    split.start({
      train: percents.train / 100,
      validation: percents.validation / 100,
      test: percents.test / 100,
      seed,
      ...(stratifyBy && { stratify_by: stratifyBy }),
      ...(groupBy && { group_by: groupBy }),
      near_duplicates: nearDuplicates,
      similarity_threshold: threshold,
    });
  };
  const names = { train: t("split.train"), validation: t("split.validation"), test: t("split.test") };

  return (
    <div className="space-y-5">
      <Card>
        <CardHeader title={t("split.title")} description={t("split.text")} />
        <form onSubmit={send} className="space-y-5 px-5 pb-5">
          <ShareBar percents={percents} rows={dataset.total_samples} />
          <div className="grid max-w-3xl grid-cols-2 gap-4 sm:grid-cols-4">
            {PARTS.map((part) => (
              <Field key={part} label={`${names[part]} (%)`}>
                {(control) => (
                  <Input
                    {...control}
                    type="number"
                    min={0}
                    max={100}
                    step="any"
                    className="numeric"
                    value={percents[part]}
                    onChange={(event) =>
                      change({ percents: { ...percents, [part]: event.currentTarget.valueAsNumber || 0 } })
                    }
                  />
                )}
              </Field>
            ))}
            <Field label={t("split.seed")}>
              {(control) => (
                <Input
                  {...control}
                  type="number"
                  min={0}
                  className="numeric"
                  value={seed}
                  onChange={(event) => change({ seed: event.currentTarget.valueAsNumber || 0 })}
                />
              )}
            </Field>
          </div>
          <div className="grid max-w-3xl gap-4 sm:grid-cols-2">
            <Field label={t("split.stratify")} description={t("split.stratifyText")}>
              {(control) => (
                <ColumnSelect
                  {...control}
                  columns={columns}
                  value={stratifyBy}
                  onValue={(next) => change({ stratifyBy: next })}
                />
              )}
            </Field>
            <Field label={t("split.group")} description={t("split.groupText")}>
              {(control) => (
                <ColumnSelect
                  {...control}
                  columns={columns}
                  value={groupBy}
                  onValue={(next) => change({ groupBy: next })}
                />
              )}
            </Field>
          </div>
          <div className="flex max-w-3xl flex-wrap items-start gap-x-6 gap-y-3">
            <Field label={t("split.near")} description={t("split.nearText")} className="flex-1 basis-72">
              {(control) => (
                <Switch
                  {...control}
                  checked={nearDuplicates}
                  onCheckedChange={(next) => change({ nearDuplicates: next })}
                />
              )}
            </Field>
            {nearDuplicates && (
              <Field label={t("split.threshold")} className="w-40">
                {(control) => (
                  <Input
                    {...control}
                    type="number"
                    min={0.5}
                    max={1}
                    step={0.01}
                    className="numeric"
                    value={threshold}
                    onChange={(event) => change({ threshold: event.currentTarget.valueAsNumber || 0.95 })}
                  />
                )}
              </Field>
            )}
          </div>
          {sum !== 100 && (
            <p role="alert" className="text-[0.8125rem] text-red">
              {t("split.sum", { sum })}
            </p>
          )}
          {sum === 100 && nothingHeldOut && (
            <p role="alert" className="text-[0.8125rem] text-red">
              {t("split.nothingHeldOut")}
            </p>
          )}
          <div className="flex flex-wrap items-center gap-3">
            <Button
              type="submit"
              variant="primary"
              pending={split.isPending}
              disabled={sum !== 100 || nothingHeldOut || !isReady}
            >
              {t("split.action")}
            </Button>
            {!isReady && <p className="text-ink-faint text-xs">{t("split.needsReady")}</p>}
          </div>
          {split.job !== null && <JobProgress job={split.job} title={t("split.working")} onEnd={() => undefined} />}
          {split.error ? <ProblemNotice error={split.error} /> : null}
        </form>
      </Card>
      {made && !isTouched && !split.isPending && <SplitOutcome result={made} />}
    </div>
  );
}

interface ColumnSelectProps {
  id: string;
  columns: readonly string[];
  value: string;
  onValue: (column: string) => void;
}

function ColumnSelect({ columns, value, onValue, ...control }: ColumnSelectProps) {
  const { t } = useI18n();
  return (
    <Select {...control} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
      <option value="">{t("split.noColumn")}</option>
      {columns.map((column) => (
        <option key={column} value={column}>
          {column}
        </option>
      ))}
    </Select>
  );
}
