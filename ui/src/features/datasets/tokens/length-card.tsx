import { useId } from "react";
import { Histogram } from "@/components/histogram";
import { Card, CardHeader } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
import { useStoredState } from "@/hooks/use-stored-state";
import { useI18n } from "@/i18n";
import type { TokenAnalysis } from "./queries";
import { costOf, stopFor, usefulStops } from "./stops";

interface LengthCardProps {
  analysis: TokenAnalysis;
  length: number | undefined;
  onLength: (length: number) => void;
}

/** A maximum length to try: what it cuts off, and how well what is left fills the batches. */
export function LengthCard({ analysis, length, onLength }: LengthCardProps) {
  const { t, format } = useI18n();
  const id = useId();
  const [price, setPrice] = useStoredState<string>("tunesmith.tokenPrice", "");
  const stops = usefulStops(analysis.lengths, analysis.context_length);
  const place = stopFor(stops, length);
  const stop = stops[place];
  if (!stop) return null;
  const perMillion = Number(price.replace(",", "."));
  const isPrice = price.trim() !== "" && Number.isFinite(perMillion) && perMillion >= 0;

  return (
    <Card className="overflow-clip">
      <CardHeader title={t("tokens.lengthTitle")} description={t("tokens.lengthText")} />
      <div className="grid gap-6 px-5 pb-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          {analysis.histogram && (
            <Histogram
              label={t("tokens.histogram")}
              bars={analysis.histogram.bins}
              edge={(value) => format.number(Math.round(value))}
              cut={stop.length}
              height={180}
            />
          )}
          <div className="mt-4">
            <label htmlFor={id} className="flex items-baseline justify-between gap-3 font-medium text-[0.8125rem]">
              {t("tokens.maxLength")}
              <output data-testid="length" className="numeric text-base">
                {t("tokens.tokens", { count: stop.length })}
              </output>
            </label>
            <input
              id={id}
              type="range"
              min={0}
              max={stops.length - 1}
              step={1}
              value={place}
              aria-valuetext={t("tokens.tokens", { count: stop.length })}
              className="mt-1 w-full accent-accent"
              onChange={(event) => onLength(stops[event.currentTarget.valueAsNumber]?.length ?? stop.length)}
            />
            <div aria-hidden className="numeric flex justify-between text-[0.6875rem] text-ink-faint">
              <span>{format.number(stops[0]?.length ?? 0)}</span>
              <span>{format.number(stops.at(-1)?.length ?? 0)}</span>
            </div>
          </div>
        </div>
        <dl className="grid content-start gap-x-4 gap-y-3 max-lg:grid-cols-2">
          <Outcome
            name={t("tokens.truncated")}
            value={format.percent(stop.truncated_share, 1)}
            note={t("tokens.truncatedText", { count: stop.truncated })}
            tone={stop.truncated_share > 0.05 ? "text-red" : stop.truncated > 0 ? "text-amber" : "text-green"}
            testId="truncated"
          />
          <Outcome
            name={t("tokens.cut")}
            value={format.percent(stop.tokens_cut_share, 1)}
            note={t("tokens.tokens", { count: stop.tokens_cut })}
          />
          <Outcome
            name={t("tokens.packing")}
            value={format.percent(stop.packing_efficiency, 1)}
            note={t("tokens.packingText", {
              count: stop.packed_sequences,
              padded: format.percent(stop.padding_efficiency, 1),
            })}
            testId="packing"
          />
          <Outcome
            name={t("tokens.perEpoch")}
            value={t("tokens.tokens", { count: stop.tokens_kept })}
            note={t("tokens.steps", { count: stop.steps_per_epoch })}
          />
          <div>
            <dt>
              <label htmlFor={`${id}-price`} className="text-ink-soft text-xs">
                {t("tokens.price")}
              </label>
            </dt>
            <dd className="mt-1 flex items-center gap-3">
              <Input
                id={`${id}-price`}
                inputMode="decimal"
                className="numeric w-28"
                value={price}
                onChange={(event) => setPrice(event.currentTarget.value)}
              />
              {isPrice && (
                <span className="numeric font-medium">
                  {t("tokens.cost", { cost: format.number(costOf(stop, perMillion), 2) })}
                </span>
              )}
            </dd>
          </div>
        </dl>
      </div>
    </Card>
  );
}

interface OutcomeProps {
  name: string;
  value: string;
  note: string;
  tone?: string;
  testId?: string;
}

function Outcome({ name, value, note, tone, testId }: OutcomeProps) {
  return (
    <div>
      <dt className="text-ink-soft text-xs">{name}</dt>
      <dd data-testid={testId} className={`numeric font-semibold text-lg leading-6 ${tone ?? ""}`}>
        {value}
      </dd>
      <dd className="numeric text-ink-faint text-xs">{note}</dd>
    </div>
  );
}
