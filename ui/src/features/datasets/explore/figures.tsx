import { useI18n } from "@/i18n";
import type { ColumnStatistics, LengthSummary } from "./queries";

interface Figure {
  name: string;
  value: string;
  note?: string;
}

/** The figures of a column, those that fit its type. */
export function Figures({ statistics }: { statistics: ColumnStatistics }) {
  const { t, format } = useI18n();
  const figure = (value: number | null) =>
    value === null ? "–" : Number.isInteger(value) ? format.number(value) : format.measure(value);
  const { numbers, text, conversation, items, dates, booleans } = statistics;
  const shown: Figure[] = [{ name: t("explore.values"), value: format.number(statistics.count) }];
  const lengths = (name: string, summary: LengthSummary) =>
    shown.push({
      name,
      value: t("explore.onAverage", { mean: format.number(summary.mean, 1) }),
      note: t("explore.spread", {
        low: figure(summary.min),
        median: figure(summary.median),
        p95: figure(summary.p95),
        high: figure(summary.max),
      }),
    });
  if (numbers) {
    shown.push(
      { name: t("explore.mean"), value: figure(numbers.mean), note: t("explore.std", { std: figure(numbers.std) }) },
      { name: t("explore.range"), value: `${figure(numbers.min)} – ${figure(numbers.max)}` },
      {
        name: t("explore.median"),
        value: figure(numbers.median),
        note: t("explore.quartiles", { low: figure(numbers.q1), high: figure(numbers.q3) }),
      },
    );
  }
  if (conversation) lengths(t("explore.turns"), conversation.turns);
  const said = text ?? conversation?.text;
  if (said) {
    lengths(t("explore.characters"), said.characters);
    if (said.vocabulary) {
      shown.push({
        name: t("explore.vocabulary"),
        value: t("explore.words", { count: said.vocabulary.types }),
        note: t("explore.ofWords", { count: said.vocabulary.words }),
      });
    }
  }
  if (items) lengths(t("explore.items"), items);
  if (dates) {
    shown.push({ name: t("explore.from"), value: dates.min }, { name: t("explore.to"), value: dates.max });
  }
  if (booleans) {
    shown.push(
      { name: t("explore.true"), value: format.number(booleans.true ?? 0) },
      { name: t("explore.false"), value: format.number(booleans.false ?? 0) },
    );
  }
  return (
    <dl className="grid grid-cols-[repeat(auto-fit,minmax(8.5rem,1fr))] gap-x-6 gap-y-4 border-line border-t px-5 py-4">
      {shown.map(({ name, value, note }) => (
        <div key={name} className="min-w-0">
          <dt className="text-ink-soft text-xs">{name}</dt>
          <dd className="numeric break-words font-semibold">{value}</dd>
          {note && <dd className="numeric text-ink-faint text-xs">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
