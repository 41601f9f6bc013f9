import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Importance, ImportanceFields, isSound } from "@/components/importance-fields";
import { JobProgress } from "@/components/job-progress";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import { datasetQueries } from "@/features/datasets/queries";
import { useEndJob } from "@/features/jobs/queries";
import { useI18n } from "@/i18n";
import { type ExportOption, registryQueries, useStartExport } from "./queries";

/** Formats that hold a GGUF file. */
const WITH_GGUF = new Set(["gguf", "ollama", "zip"]);

const nameOf = ({ format, method }: Pick<ExportOption, "format" | "method">) =>
  [format === "gguf" ? "GGUF" : format, method].filter(Boolean).join(" ");

/** Chooses a format and a method, with what they cost and what to take here; then follows the work to its end. */
export function ExportWizard({ id, reference }: { id: number; reference: string }) {
  const { t, known } = useI18n();
  const offered = useQuery(registryQueries.exportOptions(id));
  const datasets = useQuery(datasetQueries.choices());
  const start = useStartExport();
  const [job, setJob] = useState<number | null>(null);
  const [chosen, setChosen] = useState<{ format: string; method: string | null } | null>(null);
  const [importance, setImportance] = useState<Importance>(null);
  const [ended, setEnded] = useState<string | null>(null);

  if (offered.isError) return <ProblemNotice error={offered.error} className="m-5" />;
  if (!offered.data) return null;
  const { options } = offered.data;
  const best = options.find((option) => option.recommended) ?? options[0];
  const format = chosen?.format ?? best?.format ?? "gguf";
  const methods = options.filter((option) => option.format === format);
  const option =
    methods.find((one) => chosen && one.method === chosen.method) ??
    methods.find((one) => one.recommended) ??
    methods[0];
  const formats = [...new Set(options.map((one) => one.format))];
  if (!option) return null;
  const measured = WITH_GGUF.has(option.format) ? importance : null;
  const send = () => {
    setEnded(null);
    const outputs = [{ format: option.format, method: option.method }];
    start.mutate({ model: reference, outputs, ...(measured && { importance: measured }) }, { onSuccess: setJob });
  };
  return (
    <section aria-label={t("exports.wizard")} className="space-y-3 border-line border-t bg-sunken/50 px-5 py-4">
      <h3 className="font-medium">{t("exports.wizard")}</h3>
      <Recommendation id={id} />
      <div className="grid gap-3 sm:grid-cols-[1.6fr_1fr]">
        <Field label={t("exports.format")}>
          {(control) => (
            <Select
              {...control}
              value={format}
              onChange={(event) => {
                const next = event.currentTarget.value;
                const first = options.find((one) => one.format === next && one.recommended) ?? null;
                setChosen({ format: next, method: first?.method ?? null });
              }}
            >
              {formats.map((name) => (
                <option key={name} value={name}>
                  {known("exportFormats", name, name)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("exports.method")}>
          {(control) => (
            <Select
              {...control}
              value={option.method ?? ""}
              disabled={methods.length < 2}
              onChange={(event) => setChosen({ format, method: event.currentTarget.value || null })}
            >
              {methods.map((one) => (
                <option key={one.method ?? ""} value={one.method ?? ""}>
                  {one.method ?? t("exports.asStored")}
                  {one.recommended ? ` · ${t("exports.recommended")}` : ""}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {WITH_GGUF.has(option.format) && (
        <ImportanceFields datasets={datasets} value={importance} onChange={setImportance} />
      )}
      <Costs option={option} />
      {job === null ? (
        <Button
          variant="primary"
          pending={start.isPending}
          disabled={option.refusal !== null || !isSound(measured)}
          onClick={send}
        >
          {t("exports.start")}
        </Button>
      ) : (
        <Running
          id={id}
          job={job}
          name={nameOf(option)}
          onEnd={(state) => {
            setJob(null);
            setEnded(state);
          }}
        />
      )}
      {ended === "cancelled" && <p className="text-ink-soft text-xs">{t("exports.cancelled")}</p>}
      {ended === "failed" && <FailedNote />}
      {start.isError && <ProblemNotice error={start.error} />}
    </section>
  );
}

function Recommendation({ id }: { id: number }) {
  const { t, format } = useI18n();
  const { data } = useQuery(registryQueries.exportOptions(id));
  const best = data?.options.find((option) => option.recommended);
  if (!data?.reason || !best) return null;
  const words = { name: nameOf(best), free: format.bytes(data.free_memory_bytes) };
  return <p className="text-ink-soft text-xs">{t(`exports.${data.reason}`, words)}</p>;
}

function Costs({ option }: { option: ExportOption }) {
  const { t, known, format } = useI18n();
  if (option.refusal)
    return (
      <p role="alert" className="text-red text-xs">
        {known("errors.titles", option.refusal_code, option.refusal)}: {option.refusal}
      </p>
    );
  const sizes = { size: format.bytes(option.size_bytes), memory: format.bytes(option.memory_bytes) };
  return (
    <p className="numeric text-ink-soft text-xs">
      {t("exports.size", sizes)}
      {!option.fits && <span className="ml-1 text-amber">{t("exports.tooLarge")}</span>}
    </p>
  );
}

function Running(props: { id: number; job: number; name: string; onEnd: (state: string) => void }) {
  const { t } = useI18n();
  const queryClient = useQueryClient();
  const stop = useEndJob();
  const end = (state: string) => {
    void queryClient.invalidateQueries({ queryKey: registryQueries.all() });
    props.onEnd(state);
  };
  return (
    <div className="space-y-2">
      <JobProgress
        job={props.job}
        title={`${t("exports.running")}: ${props.name}`}
        onEnd={end}
        onCancel={() => stop.mutate({ id: props.job, how: "cancel" })}
      />
      <p className="text-ink-soft text-xs">{t("exports.leave")}</p>
    </div>
  );
}

function FailedNote() {
  const { t } = useI18n();
  return (
    <p role="alert" className="text-red text-xs">
      {t("runs.failed")}
    </p>
  );
}
