import { useId, useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { Switch } from "@/components/ui/switch";
import { useI18n } from "@/i18n";
import type { PromptResult } from "./queries";

const isSame = (one: PromptResult) =>
  one.same_prompt !== false && one.same_tokens !== false && one.same_answer === true;

/** Every prompt with both answers; those that differ can be shown alone. */
export function PromptList({ prompts }: { prompts: PromptResult[] }) {
  const { t } = useI18n();
  const [differing, setDiffering] = useState(false);
  const label = useId();
  const numbered = prompts.map((one, at) => ({ one, number: at + 1 }));
  const shown = differing ? numbered.filter(({ one }) => !isSame(one)) : numbered;
  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("exports.prompts")}
        action={
          <span className="flex items-center gap-2 text-[0.8125rem]">
            <Switch aria-labelledby={label} checked={differing} onCheckedChange={setDiffering} />
            <span id={label}>{t("exports.onlyDifferent")}</span>
          </span>
        }
      />
      {shown.length === 0 && (
        <p className="px-5 pb-4 text-ink-soft">{prompts.length ? t("exports.allSame") : t("exports.notAsked")}</p>
      )}
      <ol className="divide-y divide-line">
        {shown.map(({ one, number }) => (
          <li key={number}>
            <Prompt number={number} one={one} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Prompt({ number, one }: { number: number; one: PromptResult }) {
  const { t, format } = useI18n();
  const same = isSame(one);
  return (
    <details className="px-5 py-3 text-[0.8125rem]" data-same={same}>
      <summary className="flex cursor-pointer flex-wrap items-center justify-between gap-2">
        <span className="min-w-0 max-w-full truncate">
          <span className="numeric mr-2 text-ink-faint">{number}</span>
          {one.question}
        </span>
        <span className="flex items-center gap-2">
          {typeof one.token_agreement === "number" && (
            <span className="numeric text-ink-soft text-xs">
              {t("exports.agreement")} {format.percent(one.token_agreement)}
            </span>
          )}
          <Badge tone={same ? "green" : "amber"}>{same ? t("exports.same") : t("exports.different")}</Badge>
        </span>
      </summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        <Text title={t("exports.prompt")} text={one.prompt} wide={!one.artefact_prompt} />
        {one.artefact_prompt && <Text title={t("exports.artefactPrompt")} text={one.artefact_prompt} />}
        <Text title={t("exports.source")} text={one.source_answer} />
        <Text title={t("exports.artefact")} text={one.artefact_answer ?? t("exports.notAsked")} />
      </div>
    </details>
  );
}

function Text({ title, text, wide = false }: { title: string; text: string; wide?: boolean }) {
  return (
    <div className={wide ? "min-w-0 sm:col-span-2" : "min-w-0"}>
      <p className="text-ink-faint text-xs">{title}</p>
      <pre className="mt-1 whitespace-pre-wrap break-words rounded-lg bg-sunken px-3 py-2 text-xs">{text}</pre>
    </div>
  );
}
