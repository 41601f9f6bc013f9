import { Info, MessageSquare } from "lucide-react";
import { useEffect, useRef } from "react";
import { EmptyState } from "@/components/empty-state";
import { ProblemNotice } from "@/components/problem";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { TokenMeter } from "./token-meter";
import { TurnView } from "./turn-view";
import type { Chat } from "./use-conversation";

const NEAR_END_PX = 80;

interface PaneProps {
  model: string;
  chat: Chat;
  onAgain: (turn: number) => void;
  onEdit: (turn: number, text: string) => void;
}

/** One model's conversation. It follows the answer as it grows, unless someone has scrolled up to read. */
export function ConversationPane({ model, chat, onAgain, onEdit }: PaneProps) {
  const { t } = useI18n();
  const { turns, isAnswering } = chat;
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
      <header className="flex items-center gap-3 border-line border-b px-4 py-2.5">
        <h2 className="min-w-0 flex-1 truncate font-medium text-[0.8125rem]" title={model}>
          {model}
        </h2>
        <TokenMeter chat={chat} />
      </header>
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
        {chat.error ? <ProblemNotice error={chat.error} /> : null}
        {turns.length === 0 && !chat.error && (
          <EmptyState icon={MessageSquare} title={t("chat.emptyTitle")}>
            {t("chat.emptyText")}
          </EmptyState>
        )}
        {turns.map((turn, index) => (
          <TurnView
            // biome-ignore lint/suspicious/noArrayIndexKey: a growing turn has no id yet, and must not be built anew when it gets one
            key={index}
            turn={turn}
            chat={chat}
            isGrowing={turn.stored?.status === "answering" || (isAnswering && index === turns.length - 1)}
            onAgain={onAgain}
            onEdit={onEdit}
          />
        ))}
        {chat.dropped > 0 && (
          <p className="flex items-start gap-2 text-ink-soft text-xs" role="note">
            <Info aria-hidden className="mt-px size-3.5 shrink-0" />
            {t("chat.dropped", { count: chat.dropped })}
          </p>
        )}
      </div>
    </Card>
  );
}
