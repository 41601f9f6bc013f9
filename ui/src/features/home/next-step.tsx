import { Link } from "@tanstack/react-router";
import { ArrowRight, Check } from "lucide-react";
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

interface NextStepProps {
  datasets: Schema<"DatasetListResponse"> | undefined;
  runs: Schema<"FinetuningJobListResponse"> | undefined;
  versions: Schema<"ModelListResponse"> | undefined;
}

/** The road from data to a model that answers, and where on it this project is. */
export function NextStep({ datasets, runs, versions }: NextStepProps) {
  const { t } = useI18n();
  if (!datasets || !runs || !versions) return <Card className="h-44 animate-pulse" aria-busy="true" />;

  const newest = versions.items[0];
  const ready = datasets.items.find((dataset) => dataset.status === "ready");
  const running = runs.items.find((run) => run.status === "running" || run.status === "pending");
  const hasTuned = newest !== undefined || runs.items.some((run) => run.status === "completed");
  const done = [datasets.total > 0, runs.total > 0, hasTuned];
  const current = done.indexOf(false) === -1 ? 2 : done.indexOf(false);
  const steps = [
    { title: t("home.stepData"), text: t("home.stepDataText") },
    { title: t("home.stepTrain"), text: t("home.stepTrainText") },
    { title: t("home.stepChat"), text: t("home.stepChatText") },
  ];

  const actions: ReactNode[] = [
    <Link key="data" to="/data">
      {t("home.uploadData")}
      <ArrowRight aria-hidden />
    </Link>,
    <Link key="train" to="/train" search={ready ? { dataset: ready.id } : {}}>
      {t("home.startTraining")}
      <ArrowRight aria-hidden />
    </Link>,
    running && !hasTuned ? (
      <Link key="watch" to="/runs/$id" params={{ id: String(running.id) }}>
        {t("home.watchRun")}
        <ArrowRight aria-hidden />
      </Link>
    ) : (
      <Link key="chat" to="/chat" search={newest ? { model: newest.base_model, beside: newest.reference } : {}}>
        {t("home.compare")}
        <ArrowRight aria-hidden />
      </Link>
    ),
  ];

  return (
    <Card className="overflow-hidden" aria-labelledby="next-step">
      <div className="flex flex-wrap items-center justify-between gap-4 px-5 pt-5 pb-4">
        <div className="min-w-0">
          <p className="font-medium text-accent text-xs">{t("home.nextStep")}</p>
          <h2 id="next-step" className="font-semibold text-lg">
            {steps[current]?.title}
          </h2>
        </div>
        <Button asChild variant="primary" size="large">
          {actions[current]}
        </Button>
      </div>
      <ol className="grid border-line border-t bg-sunken/50 max-md:divide-y max-md:divide-line md:grid-cols-3 md:divide-x md:divide-line">
        {steps.map((step, index) => (
          <li key={step.title} aria-current={index === current ? "step" : undefined} className="flex gap-3 px-5 py-4">
            <span
              className={cn(
                "numeric mt-0.5 grid size-6 shrink-0 place-items-center rounded-full border border-line-strong font-semibold text-ink-soft text-xs",
                index === current && "border-accent text-accent",
                done[index] && "border-transparent bg-accent text-on-accent",
              )}
            >
              {done[index] ? <Check aria-label={t("home.done")} className="size-3.5" /> : index + 1}
            </span>
            <span className="min-w-0">
              <span className="block font-medium">{step.title}</span>
              <span className="block text-[0.8125rem] text-ink-soft">{step.text}</span>
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
