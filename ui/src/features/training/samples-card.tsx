import { useQuery } from "@tanstack/react-query";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { sampleQuery } from "./queries";

/** What the model said on the way; there is no such card where the recipe asks for none. */
export function SamplesCard({ id, isLive }: { id: number; isLive: boolean }) {
  const { t, format } = useI18n();
  const samples = useQuery(sampleQuery(id, isLive)).data ?? [];
  if (samples.length === 0) return null;
  return (
    <Card>
      <CardHeader title={t("runs.samples")} />
      <ol className="max-h-96 divide-y divide-line overflow-y-auto border-line border-t" data-testid="samples">
        {samples.toReversed().map((sample) => (
          <li key={sample.offset} className="px-5 py-3 text-[0.8125rem]">
            <p className="numeric text-ink-faint text-xs">
              {t("runs.step")} {format.number(sample.step)}
            </p>
            <p className="whitespace-pre-wrap break-words text-ink-soft">{sample.prompt}</p>
            <p className="whitespace-pre-wrap break-words font-medium">{sample.answer}</p>
          </li>
        ))}
      </ol>
    </Card>
  );
}
