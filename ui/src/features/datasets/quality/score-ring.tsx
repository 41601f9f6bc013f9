import type { ReactNode } from "react";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

const RADIUS = 26;
const ROUND = 2 * Math.PI * RADIUS;
const GOOD = 0.9;
const FAIR = 0.7;

interface ScoreRingProps {
  score: number | null | undefined;
  note?: ReactNode;
}

/** The quality score from 0 to 100 in a ring. */
export function ScoreRing({ score, note }: ScoreRingProps) {
  const { t, format } = useI18n();
  const known = typeof score === "number";
  const tone = !known ? "text-ink-faint" : score >= GOOD ? "text-green" : score >= FAIR ? "text-amber" : "text-red";
  const points = known ? format.number(Math.floor(score * 100)) : "–";
  return (
    <div className="flex items-center gap-3">
      <svg
        viewBox="0 0 64 64"
        className={cn("size-16", tone)}
        role="img"
        aria-label={`${t("data.quality")}: ${points}`}
      >
        <circle cx="32" cy="32" r={RADIUS} fill="none" strokeWidth="6" className="stroke-line" />
        {known && (
          <circle
            cx="32"
            cy="32"
            r={RADIUS}
            fill="none"
            strokeWidth="6"
            strokeLinecap="round"
            stroke="currentColor"
            strokeDasharray={`${score * ROUND} ${ROUND}`}
            transform="rotate(-90 32 32)"
          />
        )}
        <text
          x="32"
          y="33"
          textAnchor="middle"
          dominantBaseline="middle"
          className="numeric fill-ink font-semibold text-lg"
        >
          {points}
        </text>
      </svg>
      <span>
        <span className="block font-medium text-[0.8125rem]">{t("data.quality")}</span>
        <span className="block text-ink-faint text-xs">{note || t("doctor.of100")}</span>
      </span>
    </div>
  );
}
