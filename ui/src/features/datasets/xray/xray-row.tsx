import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { XrayRow, XrayToken } from "./queries";

/** More tokens are drawn only when asked for: a long row would make the page slow. */
const DRAWN_TOKENS = 800;

export function XrayRowView({ id, row }: { id: number; row: XrayRow }) {
  const { t, format } = useI18n();
  const [pointed, setPointed] = useState<number | null>(null);
  const [isWhole, setWhole] = useState(false);
  const tokens = isWhole ? row.tokens : row.tokens.slice(0, DRAWN_TOKENS);
  const token = pointed === null ? undefined : row.tokens[pointed];

  return (
    <li className="px-5 py-4" data-row={row.row}>
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        <Link
          to="/data/$id/table"
          params={{ id: String(id) }}
          search={{ row: row.row }}
          className="numeric font-medium text-accent hover:underline"
        >
          {t("data.rowNumber", { row: format.number(row.row) })}
        </Link>
        <span className="numeric text-ink-soft text-xs">
          {t("xray.rowTokens", { trained: format.number(row.trained_tokens), total: format.number(row.total_tokens) })}
        </span>
        {row.trained_tokens === 0 && <Badge tone="red">{t("xray.untrained")}</Badge>}
        {row.truncated && <Badge tone="amber">{t("xray.truncated")}</Badge>}
        {row.end_of_turn_trained === false && <Badge tone="amber">{t("xray.noEnd")}</Badge>}
        <span className="numeric ms-auto h-5 truncate font-mono text-ink-soft text-xs" aria-live="polite">
          {token &&
            t("xray.token", {
              place: format.number((pointed ?? 0) + 1),
              id: String(token.id),
              text: visible(token.text),
              state: t(token.trained ? "xray.trained" : "xray.masked"),
            })}
        </span>
      </div>
      {row.error ? (
        <p className="text-red">{row.error}</p>
      ) : (
        <Tokens tokens={tokens} pointed={pointed} onPoint={setPointed} />
      )}
      {row.tokens.length > tokens.length && (
        <Button size="small" className="mt-2" onClick={() => setWhole(true)}>
          {t("xray.showAll", { count: row.tokens.length - tokens.length })}
        </Button>
      )}
    </li>
  );
}

interface TokensProps {
  tokens: readonly XrayToken[];
  pointed: number | null;
  onPoint: (place: number | null) => void;
}

function Tokens({ tokens, pointed, onPoint }: TokensProps) {
  const { t } = useI18n();
  const onPointerOver = (event: PointerEvent) => {
    const place = (event.target as HTMLElement).dataset.place;
    if (place !== undefined) onPoint(Number(place));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onPoint(Math.min(tokens.length - 1, Math.max(0, (pointed ?? -1) + step)));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: one line of text, not a set of form fields
    <div
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys go from token to token
      tabIndex={0}
      aria-label={t("xray.tokens")}
      className="whitespace-pre-wrap break-words rounded-md font-mono text-[0.8125rem] leading-6.5"
      onPointerOver={onPointerOver}
      onPointerLeave={() => onPoint(null)}
      onKeyDown={onKeyDown}
    >
      {tokens.map((token, place) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: a token is known by its place
          key={place}
          data-place={place}
          data-trained={token.trained}
          className={cn(
            "rounded-[3px] border-line-strong/50 border-r py-0.5",
            token.trained ? "bg-green-soft text-ink decoration-green" : "bg-sunken text-ink-faint",
            pointed === place && "outline-2 outline-accent",
          )}
        >
          {shown(token.text)}
        </span>
      ))}
    </div>
  );
}

/** A line end is drawn as a sign and kept as a line end. */
const shown = (text: string) => text.replaceAll("\n", "↵\n").replaceAll("\t", "→\t");
const visible = (text: string) => JSON.stringify(text);
