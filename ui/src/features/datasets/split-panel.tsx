import { Link } from "@tanstack/react-router";
import { type SyntheticEvent, useState } from "react";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { type Dataset, useSplitDataset } from "./queries";

const PARTS = ["train", "validation", "test"] as const;
type Part = (typeof PARTS)[number];

/** Cuts a dataset into parts that share no near duplicates. */
export function SplitPanel({ dataset }: { dataset: Dataset }) {
  const { t } = useI18n();
  const split = useSplitDataset(dataset.id);
  const [percents, setPercents] = useState<Record<Part, number>>({ train: 80, validation: 10, test: 10 });
  const [seed, setSeed] = useState(42);
  const sum = PARTS.reduce((total, part) => total + percents[part], 0);
  const names = { train: t("data.partTrain"), validation: t("data.partValidation"), test: t("data.partTest") };

  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    const { train, validation, test } = percents;
    split.mutate({ train: train / 100, validation: validation / 100, test: test / 100, seed });
  };

  return (
    <form onSubmit={send} className="p-5">
      <p className="mb-4 max-w-2xl text-ink-soft">{t("data.splitText")}</p>
      <div className="grid max-w-3xl grid-cols-2 gap-4 sm:grid-cols-4">
        {PARTS.map((part) => (
          <Field key={part} label={`${names[part]} (%)`}>
            {(control) => (
              <Input
                {...control}
                type="number"
                min={0}
                max={100}
                value={percents[part]}
                onChange={(event) => setPercents({ ...percents, [part]: event.currentTarget.valueAsNumber || 0 })}
              />
            )}
          </Field>
        ))}
        <Field label={t("data.seed")}>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={0}
              value={seed}
              onChange={(event) => setSeed(event.currentTarget.valueAsNumber || 0)}
            />
          )}
        </Field>
      </div>
      {sum !== 100 && (
        <p role="alert" className="mt-3 text-[0.8125rem] text-red">
          {t("data.splitSum", { sum })}
        </p>
      )}
      <Button
        type="submit"
        variant="primary"
        className="mt-5"
        pending={split.isPending}
        disabled={sum !== 100 || dataset.status !== "ready"}
      >
        {t("data.splitAction")}
      </Button>
      {dataset.status !== "ready" && <p className="mt-2 text-ink-faint text-xs">{t("data.splitNeedsReady")}</p>}
      {split.isError && <ProblemNotice error={split.error} className="mt-5" />}
      {split.data && (
        <ul data-testid="split-parts" className="mt-5 grid gap-3 sm:grid-cols-3">
          {split.data.parts.map((part) => (
            <li key={part.dataset_id} className="rounded-lg border border-line px-4 py-3">
              <Link
                to="/data/$id"
                params={{ id: String(part.dataset_id) }}
                className="font-medium text-accent hover:underline"
              >
                {names[part.part as Part] ?? part.name}
              </Link>
              <p className="numeric text-ink-soft">
                {t("data.rowCount", { count: part.rows })} · {part.version}
              </p>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
