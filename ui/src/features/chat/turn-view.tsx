import { Brain, ChevronRight } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { ApiError } from "@/api/errors";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Textarea } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { isComposing } from "./composer";
import { TurnActions } from "./turn-actions";
import type { Chat, ShownTurn } from "./use-conversation";

const Markdown = lazy(() => import("@/components/markdown"));
const FEWEST_FOR_SPEED = 8;

interface TurnProps {
  turn: ShownTurn;
  chat: Chat;
  isGrowing: boolean;
  onAgain: (turn: number) => void;
  onEdit: (turn: number, text: string) => void;
}

/** A question, or an answer with what one can do with it. */
export function TurnView(props: TurnProps) {
  return props.turn.role === "user" ? <Question {...props} /> : <Answer {...props} />;
}

function Question({ turn, chat, onEdit }: TurnProps) {
  const { t } = useI18n();
  const [draft, setDraft] = useState<string | null>(null);
  const { id } = turn;
  const send = () => {
    if (id === null || !draft?.trim()) return;
    setDraft(null);
    onEdit(id, draft.trim());
  };
  if (draft !== null) {
    return (
      <div className="space-y-2">
        <Textarea
          aria-label={t("chat.editQuestion")}
          autoFocus
          rows={3}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setDraft(null);
            if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
            event.preventDefault();
            send();
          }}
        />
        <div className="flex justify-end gap-2">
          <Button size="small" onClick={() => setDraft(null)}>
            {t("common.cancel")}
          </Button>
          <Button size="small" variant="primary" disabled={!draft.trim()} onClick={send}>
            {t("chat.send")}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <div data-role="user" className="group ml-auto w-fit max-w-[85%]">
      <div className="whitespace-pre-wrap break-words rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5">
        <span className="sr-only">{t("chat.you")}: </span>
        {turn.content}
      </div>
      <TurnActions turn={turn} chat={chat} onEdit={() => setDraft(turn.content)} />
    </div>
  );
}

function Answer({ turn, chat, isGrowing, onAgain }: TurnProps) {
  const { t } = useI18n();
  const { id } = turn;
  return (
    <div data-role="assistant" data-growing={isGrowing || undefined} className="group">
      {turn.content === "" && isGrowing && !turn.reasoning && (
        <p className="animate-pulse text-ink-faint">
          {t("chat.thinking")}
          <span aria-hidden> …</span>
        </p>
      )}
      {turn.reasoning && <Reasoning text={turn.reasoning} isGrowing={isGrowing && turn.content === ""} />}
      <Suspense fallback={<p className="whitespace-pre-wrap">{turn.content}</p>}>
        <Markdown text={turn.content} />
      </Suspense>
      {turn.problem && <ProblemNotice className="mt-2" error={new ApiError(turn.problem)} />}
      {!isGrowing && <TurnFacts turn={turn} />}
      {!isGrowing && id !== null && <TurnActions turn={turn} chat={chat} onAgain={() => onAgain(id)} />}
    </div>
  );
}

/** What the model thought aloud: open while it thinks, folded once it answers. */
function Reasoning({ text, isGrowing }: { text: string; isGrowing: boolean }) {
  const { t } = useI18n();
  const [chosen, setChosen] = useState<boolean | null>(null);
  const isOpen = chosen ?? isGrowing;
  return (
    <div className="mb-3 rounded-lg border border-line bg-sunken/60 text-[0.8125rem]" data-reasoning>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setChosen(!isOpen)}
        className="flex w-full items-center gap-2 px-3 py-2 text-left font-medium text-ink-soft hover:text-ink"
      >
        <Brain aria-hidden className="size-4" />
        {isGrowing ? t("chat.reasoningNow") : t("chat.reasoning")}
        <ChevronRight aria-hidden className={`ml-auto size-4 transition-transform ${isOpen ? "rotate-90" : ""}`} />
      </button>
      {isOpen && <p className="whitespace-pre-wrap break-words px-3 pb-3 text-ink-soft">{text}</p>}
    </div>
  );
}

function TurnFacts({ turn }: { turn: ShownTurn }) {
  const { t, format } = useI18n();
  const stored = turn.stored;
  if (!stored) return null;
  const { completion_tokens: tokens, seconds, status } = stored;
  const speed = tokens && seconds && tokens >= FEWEST_FOR_SPEED ? tokens / seconds : null;
  const facts = [
    status === "stopped" && t("chat.stopped"),
    status === "interrupted" && t("chat.interrupted"),
    stored.finish_reason === "length" && t("chat.cut"),
    tokens && t("chat.tokens", { count: tokens }),
    seconds && format.duration(seconds),
    speed && t("chat.speed", { speed: Math.round(speed) }),
  ].filter(Boolean);
  if (facts.length === 0) return null;
  return <p className="numeric mt-1.5 text-ink-faint text-xs">{facts.join(" · ")}</p>;
}
