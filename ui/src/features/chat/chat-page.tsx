import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Bot, Eraser, Settings2 } from "lucide-react";
import { useState } from "react";
import type { ChatParameters } from "@/api/chat";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useStoredState } from "@/hooks/use-stored-state";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { ChatSettings } from "./chat-settings";
import { Composer } from "./composer";
import { ConversationPane } from "./conversation-pane";
import { ModelChooser } from "./model-chooser";
import { chatQueries } from "./queries";
import { useConversation } from "./use-conversation";

const route = getRouteApi("/chat");
const DEFAULTS: ChatParameters = { temperature: 0, top_p: 1, max_tokens: 256, seed: null };

export function ChatPage() {
  const { t } = useI18n();
  const models = useQuery(chatQueries.models());
  if (models.isError && !models.data) {
    return (
      <Page title={t("chat.title")}>
        <ProblemNotice error={models.error} onRetry={() => void models.refetch()} />
      </Page>
    );
  }
  if (!models.data) return <PagePending />;
  if (models.data.length === 0) {
    return (
      <Page title={t("chat.title")}>
        <Card>
          <EmptyState
            icon={Bot}
            title={t("chat.noModelsTitle")}
            action={
              <Button asChild variant="primary">
                <Link to="/train">{t("home.startTraining")}</Link>
              </Button>
            }
          >
            {t("chat.noModelsText")}
          </EmptyState>
        </Card>
      </Page>
    );
  }
  return <Chat models={models.data} />;
}

function Chat({ models }: { models: string[] }) {
  const { t } = useI18n();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const model = search.model ?? models[0] ?? "";
  const beside = search.beside ?? "";
  const [system, setSystem] = useStoredState("tunesmith.chat.system", "");
  const [parameters, setParameters] = useStoredState("tunesmith.chat.parameters", DEFAULTS);
  const [showsSettings, setShowsSettings] = useState(false);
  const left = useConversation(model, "left");
  const right = useConversation(beside, "right");
  const conversations = beside ? [left, right] : [left];
  const isAnswering = conversations.some((one) => one.isAnswering);

  const send = (prompt: string) => {
    for (const conversation of conversations) void conversation.ask({ prompt, system, parameters });
  };
  const each = (action: "stop" | "clear") => {
    for (const conversation of conversations) conversation[action]();
  };

  return (
    <div className="mx-auto flex h-[calc(100dvh-3.5rem-4rem)] w-full max-w-7xl flex-col px-4 pt-4 sm:px-6 lg:h-[calc(100dvh-3.5rem)] lg:px-8 lg:pb-6">
      <title>{`${t("chat.title")} · Tunesmith`}</title>
      <h1 className="sr-only">{t("chat.title")}</h1>
      <div className="mb-3 flex flex-wrap items-end gap-x-3 gap-y-2">
        <ModelChooser
          models={models}
          model={model}
          beside={beside}
          onChange={(next) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true })}
        />
        <span className="ml-auto flex gap-2">
          <Button
            aria-expanded={showsSettings}
            aria-controls="chat-settings"
            aria-label={t("chat.settings")}
            onClick={() => setShowsSettings(!showsSettings)}
          >
            <Settings2 aria-hidden />
            <span className="max-sm:sr-only">{t("chat.settings")}</span>
          </Button>
          <Button
            aria-label={t("chat.clear")}
            disabled={conversations.every((one) => one.turns.length === 0)}
            onClick={() => each("clear")}
          >
            <Eraser aria-hidden />
            <span className="max-sm:sr-only">{t("chat.clear")}</span>
          </Button>
        </span>
      </div>
      {showsSettings && (
        <ChatSettings
          id="chat-settings"
          {...{ system, parameters }}
          onSystem={setSystem}
          onParameters={setParameters}
        />
      )}
      <div className={cn("grid min-h-0 flex-1 gap-3", beside && "grid-rows-2 sm:grid-cols-2 sm:grid-rows-1")}>
        <ConversationPane model={model} conversation={left} />
        {beside && <ConversationPane model={beside} conversation={right} />}
      </div>
      <Composer isAnswering={isAnswering} onSend={send} onStop={() => each("stop")} />
    </div>
  );
}
