import { Stat } from "@/components/stat";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import type { Xray } from "./queries";

/** Over the whole dataset: how much is learnt from, and how many rows teach nothing or never teach to stop. */
export function XrayCounts({ counts }: { counts: NonNullable<Xray["counts"]> }) {
  const { t, format } = useI18n();
  const share = counts.total_tokens ? counts.trained_tokens / counts.total_tokens : 0;
  const figure = (value: number) => (
    <span className={value > 0 ? "text-amber" : undefined}>{format.number(value)}</span>
  );
  return (
    <Card>
      <dl data-testid="xray-counts" className="grid grid-cols-2 divide-line max-md:divide-y md:grid-cols-5 md:divide-x">
        <Stat
          label={t("xray.trainedTokens")}
          note={t("xray.ofTokens", { total: format.number(counts.total_tokens), share: format.percent(share, 1) })}
        >
          <span data-testid="trained-tokens">{format.number(counts.trained_tokens)}</span>
        </Stat>
        <Stat label={t("xray.noLoss")} note={t("xray.noLossText")}>
          {figure(counts.no_loss)}
        </Stat>
        <Stat label={t("xray.endUntrained")} note={t("xray.endUntrainedText")}>
          {figure(counts.end_untrained)}
        </Stat>
        <Stat label={t("xray.truncatedAnswers")} note={t("xray.truncatedAnswersText")}>
          {figure(counts.truncated_answers)}
        </Stat>
        <Stat label={t("xray.tooLong")} note={t("xray.tooLongText")}>
          {figure(counts.too_long)}
        </Stat>
      </dl>
    </Card>
  );
}
