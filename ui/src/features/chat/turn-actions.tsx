import { Check, ChevronLeft, ChevronRight, Copy, Pencil, RefreshCw, ThumbsDown, ThumbsUp } from "lucide-react";
import type { ReactNode } from "react";
import { useCopied } from "@/hooks/use-copied";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { Chat, ShownTurn } from "./use-conversation";

interface TurnActionsProps {
  turn: ShownTurn;
  chat: Chat;
  onAgain?: () => void;
  onEdit?: () => void;
}

/** What one can do with a turn, and the way to its other versions. */
export function TurnActions({ turn, chat, onAgain, onEdit }: TurnActionsProps) {
  const { t } = useI18n();
  const { isCopied, copy } = useCopied();
  if (turn.id === null) return null;
  const { id } = turn;
  const rating = turn.stored?.rating ?? null;
  const isIdle = !chat.isAnswering;
  return (
    <div
      className={cn(
        "mt-1 flex flex-wrap items-center gap-0.5 text-ink-faint",
        turn.role === "user" && "justify-end",
        "[@media(hover:hover)]:opacity-70 [@media(hover:hover)]:focus-within:opacity-100 [@media(hover:hover)]:group-hover:opacity-100",
      )}
    >
      <Versions turn={turn} chat={chat} />
      {turn.content && (
        <Action label={isCopied ? t("chat.copied") : t("chat.copy")} onClick={() => copy(turn.content)}>
          {isCopied ? <Check aria-hidden /> : <Copy aria-hidden />}
        </Action>
      )}
      {onEdit && (
        <Action label={t("chat.edit")} disabled={!isIdle} onClick={onEdit}>
          <Pencil aria-hidden />
        </Action>
      )}
      {onAgain && (
        <Action label={t("chat.again")} disabled={!isIdle} onClick={onAgain}>
          <RefreshCw aria-hidden />
        </Action>
      )}
      {turn.role === "assistant" && turn.content && (
        <>
          <Action
            label={t("chat.good")}
            isOn={rating === "good"}
            onClick={() => void chat.rate(id, rating === "good" ? null : "good")}
          >
            <ThumbsUp aria-hidden />
          </Action>
          <Action
            label={t("chat.bad")}
            isOn={rating === "bad"}
            onClick={() => void chat.rate(id, rating === "bad" ? null : "bad")}
          >
            <ThumbsDown aria-hidden />
          </Action>
        </>
      )}
    </div>
  );
}

function Versions({ turn, chat }: { turn: ShownTurn; chat: Chat }) {
  const { t } = useI18n();
  const { versions } = turn;
  if (versions.length < 2 || turn.id === null) return null;
  const at = versions.indexOf(turn.id);
  const go = (to: number | undefined) => to !== undefined && void chat.show(to);
  return (
    <span className="numeric mr-1 inline-flex items-center text-xs">
      <Action
        label={t("chat.versionBefore")}
        disabled={at === 0 || chat.isAnswering}
        onClick={() => go(versions[at - 1])}
      >
        <ChevronLeft aria-hidden />
      </Action>
      <span>
        {at + 1}/{versions.length}
      </span>
      <Action
        label={t("chat.versionAfter")}
        disabled={at === versions.length - 1 || chat.isAnswering}
        onClick={() => go(versions[at + 1])}
      >
        <ChevronRight aria-hidden />
      </Action>
    </span>
  );
}

interface ActionProps {
  label: string;
  onClick: () => void;
  children: ReactNode;
  disabled?: boolean;
  /** For what is on or off. */
  isOn?: boolean;
}

function Action({ label, onClick, children, disabled, isOn }: ActionProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={isOn}
      disabled={disabled}
      onClick={onClick}
      className={cn(
        "grid size-8 place-items-center rounded-md hover:bg-sunken hover:text-ink disabled:pointer-events-none disabled:opacity-40",
        "[&_svg]:size-3.5",
        isOn && "text-accent [&_svg]:fill-current",
      )}
    >
      {children}
    </button>
  );
}
