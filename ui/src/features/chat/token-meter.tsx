import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { Chat } from "./use-conversation";

const NEARLY_FULL = 0.8;

/** How much of the model's context the conversation takes, as of its last answer. */
export function TokenMeter({ chat }: { chat: Chat }) {
  const { t, format } = useI18n();
  const last = chat.turns.findLast((turn) => turn.stored?.completion_tokens != null)?.stored;
  if (!last?.context_length) return null;
  const used = (last.prompt_tokens ?? 0) + (last.completion_tokens ?? 0);
  const share = Math.min(1, used / last.context_length);
  const text = t("chat.contextUsed", { used, context: last.context_length });
  return (
    <div className="flex shrink-0 items-center gap-2" title={text}>
      <meter className="sr-only" min={0} max={last.context_length} value={used} aria-label={text} />
      <span aria-hidden className="h-1.5 w-16 overflow-hidden rounded-full bg-sunken max-sm:w-10">
        <span
          className={cn("block h-full rounded-full", share > NEARLY_FULL ? "bg-amber" : "bg-accent")}
          style={{ width: `${Math.max(3, share * 100)}%` }}
        />
      </span>
      <span aria-hidden className="numeric text-ink-faint text-xs" data-tokens>
        {format.number(used)}/{format.number(last.context_length)}
      </span>
    </div>
  );
}
