import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Importance, ImportanceFields, isSound } from "@/components/importance-fields";
import { JobProgress } from "@/components/job-progress";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Field, Input, Select } from "@/components/ui/field";
import { datasetQueries } from "@/features/datasets/queries";
import { useEndJob } from "@/features/jobs/queries";
import { useI18n } from "@/i18n";
import { type ConvertRequest, ggufQueries, MODEL_GB, useConvert } from "./queries";

/** Chooses a model, a method and what the importance matrix is measured on, then follows the work. */
export function ConvertCard() {
  const { t } = useI18n();
  const queryClient = useQueryClient();
  const methods = useQuery(ggufQueries.methods(MODEL_GB));
  const datasets = useQuery(datasetQueries.choices());
  const convert = useConvert();
  const end = useEndJob();
  const [job, setJob] = useState<number | null>(null);
  const [model, setModel] = useState("tunesmith/tiny");
  const [adapter, setAdapter] = useState("");
  const [method, setMethod] = useState("Q4_K_M");
  const [name, setName] = useState("");
  const [importance, setImportance] = useState<Importance>(null);
  const send = () => {
    const body: ConvertRequest = { methods: [method] };
    if (adapter.trim()) Object.assign(body, { base: model.trim(), adapter: adapter.trim() });
    else body.model = model.trim();
    if (name.trim()) body.output_name = name.trim();
    if (importance) body.importance = importance;
    convert.mutate(body, { onSuccess: setJob });
  };
  const finish = () => {
    setJob(null);
    void queryClient.invalidateQueries({ queryKey: ggufQueries.all() });
  };
  return (
    <Card>
      <CardHeader title={t("gguf.convert")} description={t("gguf.convertText")} />
      <form
        className="space-y-3 px-5 pb-5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className="grid gap-3 sm:grid-cols-[1fr_9rem]">
          <Field label={t("gguf.model")} description={t("gguf.modelHelp")}>
            {(control) => (
              <Input {...control} required value={model} onChange={(event) => setModel(event.currentTarget.value)} />
            )}
          </Field>
          <Field label={t("gguf.method")}>
            {(control) => (
              <Select {...control} value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
                {(methods.data?.methods.flatMap((one) => one.variants) ?? [method]).map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label={t("gguf.adapter")} description={t("gguf.adapterHelp")}>
            {(control) => (
              <Input {...control} value={adapter} onChange={(event) => setAdapter(event.currentTarget.value)} />
            )}
          </Field>
          <Field label={t("gguf.name")}>
            {(control) => (
              <Input
                {...control}
                maxLength={100}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
            )}
          </Field>
        </div>
        <ImportanceFields datasets={datasets} value={importance} onChange={setImportance} />
        {job === null ? (
          <Button
            type="submit"
            variant="primary"
            pending={convert.isPending}
            disabled={!model.trim() || !isSound(importance)}
          >
            {t("gguf.start")}
          </Button>
        ) : (
          <div className="space-y-2">
            <JobProgress
              job={job}
              title={`${t("gguf.running")}: ${method}`}
              onEnd={finish}
              onCancel={() => end.mutate({ id: job, how: "cancel" })}
            />
            <p className="text-ink-soft text-xs">{t("gguf.leave")}</p>
          </div>
        )}
        {convert.isError && <ProblemNotice error={convert.error} />}
      </form>
    </Card>
  );
}
