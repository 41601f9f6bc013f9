import { useI18n } from "@/i18n";
import { PARTS, type Percents } from "./shares";

const COLORS = { train: "bg-accent", validation: "bg-blue", test: "bg-amber" };

/** The shares as a bar, with how many rows they come to. */
export function ShareBar({ percents, rows }: { percents: Percents; rows: number | null }) {
  const { t, format } = useI18n();
  const names = { train: t("split.train"), validation: t("split.validation"), test: t("split.test") };
  return (
    <div>
      <div aria-hidden className="flex h-2.5 gap-0.5 overflow-hidden rounded-full bg-line">
        {PARTS.map((part) => (
          <div key={part} className={`${COLORS[part]} transition-[width]`} style={{ width: `${percents[part]}%` }} />
        ))}
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-ink-soft text-xs">
        {PARTS.map((part) => (
          <li key={part} className="numeric flex items-center gap-1.5">
            <span aria-hidden className={`size-2 rounded-full ${COLORS[part]}`} />
            {names[part]}
            {rows !== null && (
              <span className="text-ink-faint">
                {t("split.about", { rows: format.number(Math.round((rows * percents[part]) / 100)) })}
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
