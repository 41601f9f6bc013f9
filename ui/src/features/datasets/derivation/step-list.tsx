import { useI18n } from "@/i18n";
import type { StepExample, StepReport } from "../queries";

/** What each step does or would do: how many rows, and a few of them before and after. */
export function StepList({ steps }: { steps: readonly StepReport[] }) {
  const { t, known } = useI18n();
  return (
    <ul className="space-y-4">
      {steps.map((step) => (
        <li key={step.step}>
          <p className="flex flex-wrap gap-x-3 text-[0.8125rem]">
            <span className="font-medium">{known("findings", step.step, known("steps", step.step, step.step))}</span>
            <span className="numeric text-ink-soft">
              {[
                step.changed > 0 && t("derivation.changed", { count: step.changed }),
                step.removed > 0 && t("derivation.removed", { count: step.removed }),
                step.added > 0 && t("derivation.added", { count: step.added }),
                step.left > 0 && t("derivation.left", { count: step.left }),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </p>
          {step.examples && step.examples.length > 0 && (
            <ul className="mt-1.5 divide-y divide-line overflow-hidden rounded-lg border border-line">
              {step.examples.map((example) => (
                <Example key={`${example.kind}-${example.row}-${example.pointer}`} example={example} />
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

function Example({ example }: { example: StepExample }) {
  const { t, format } = useI18n();
  return (
    <li className="grid gap-x-4 gap-y-1 bg-surface px-3 py-2 text-[0.8125rem] sm:grid-cols-[7rem_1fr]">
      <span className="numeric min-w-0 text-ink-faint text-xs leading-5">
        {t("data.rowNumber", { row: format.number(example.row) })}
        {example.pointer && <code className="block break-all font-mono">{example.pointer}</code>}
      </span>
      <span className="min-w-0 space-y-0.5">
        {example.before && (
          <del className="block whitespace-pre-wrap break-words rounded bg-red-soft px-1.5 text-ink no-underline">
            <span aria-hidden className="mr-1.5 select-none text-red">
              −
            </span>
            <span className="sr-only">{t("derivation.before")} </span>
            {example.before}
          </del>
        )}
        {example.after && (
          <ins className="block whitespace-pre-wrap break-words rounded bg-green-soft px-1.5 text-ink no-underline">
            <span aria-hidden className="mr-1.5 select-none text-green">
              +
            </span>
            <span className="sr-only">{t("derivation.after")} </span>
            {example.after}
          </ins>
        )}
        {example.note && <span className="block text-ink-soft text-xs">{example.note}</span>}
      </span>
    </li>
  );
}
