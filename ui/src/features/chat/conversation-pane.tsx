import { MessageSquare } from "lucide-react";
import { lazy, Suspense, useEffect, useRef } from "react";
import { ApiError } from "@/api/errors";
import { EmptyState } from "@/components/empty-state";
import { ProblemNotice } from "@/components/problem";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import type { Conversation, Turn } from "./use-conversation";

const Markdown = lazy(() => import("@/components/markdown"));
const NEAR_END_PX = 80;
const FEWEST_FOR_SPEED = 8;

/** One model's conversation. It follows the answer as it grows, unless someone has scrolled up to read. */
export function ConversationPane({ model, conversation }: { model: string; conversation: Conversation }) {
  const { t } = useI18n();
  const { turns, isAnswering } = conversation;
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new text is the reason to scroll
  useEffect(() => {
    if (follows.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [turns]);

  return (
    <Card
      aria-label={t("chat.conversation", { model })}
      data-conversation={model}
      className="flex min-h-0 min-w-0 flex-col overflow-hidden"
    >
      <h2 className="truncate border-line border-b px-4 py-2.5 font-medium text-[0.8125rem]" title={model}>
        {model}
      </h2>
      <div
        ref={box}
        aria-live="polite"
        aria-busy={isAnswering}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
        }}
        className="min-h-0 flex-1 space-y-4 overflow-y-auto p-4"
      >
        {turns.length === 0 && (
          <EmptyState icon={MessageSquare} title={t("chat.emptyTitle")}>
            {t("chat.emptyText")}
          </EmptyState>
        )}
        {turns.map((turn, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: turns are only ever added at the end
          <TurnView key={index} turn={turn} isGrowing={isAnswering && index === turns.length - 1} />
        ))}
      </div>
    </Card>
  );
}

function TurnView({ turn, isGrowing }: { turn: Turn; isGrowing: boolean }) {
  const { t } = useI18n();
  if (turn.role === "user") {
    return (
      <div className="ml-auto w-fit max-w-[85%] whitespace-pre-wrap break-words rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5">
        <span className="sr-only">{t("chat.you")}: </span>
        {turn.content}
      </div>
    );
  }
  return (
    <div data-role="assistant" data-growing={isGrowing || undefined}>
      {turn.content === "" && isGrowing && (
        <p className="animate-pulse text-ink-faint">
          {t("chat.thinking")}
          <span aria-hidden> …</span>
        </p>
      )}
      <Suspense fallback={<p className="whitespace-pre-wrap">{turn.content}</p>}>
        <Markdown text={turn.content} />
      </Suspense>
      {turn.problem && <ProblemNotice error={new ApiError(turn.problem)} className="mt-2" />}
      {!isGrowing && <TurnFacts turn={turn} />}
    </div>
  );
}

function TurnFacts({ turn }: { turn: Turn }) {
  const { t, format } = useI18n();
  const { tokens = 0, seconds = 0, waited = 0 } = turn;
  const speed = tokens >= FEWEST_FOR_SPEED && seconds > waited ? (tokens - 1) / (seconds - waited) : null;
  const facts = [
    turn.finish === "stopped" && t("chat.stopped"),
    turn.finish === "length" && t("chat.cut"),
    turn.tokens !== undefined && t("chat.tokens", { count: turn.tokens }),
    turn.seconds !== undefined && format.duration(turn.seconds),
    speed !== null && t("chat.speed", { speed: Math.round(speed) }),
  ].filter(Boolean);
  if (facts.length === 0) return null;
  return <p className="numeric mt-1.5 text-ink-faint text-xs">{facts.join(" · ")}</p>;
}
