import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Bot, History, Settings2, SquarePen } from "lucide-react";
import { type ReactNode, useState } from "react";
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
import { ConversationList } from "./conversation-list";
import { ConversationPane } from "./conversation-pane";
import { KeepMenu } from "./keep-menu";
import { ModelChooser } from "./model-chooser";
import { chatQueries, type StyleName } from "./queries";
import { useConversation } from "./use-conversation";

const route = getRouteApi("/chat");
const DEFAULTS: ChatParameters = { temperature: 0, top_p: 1, max_tokens: 256, seed: null, stop: [] };

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
  const go = (next: Partial<typeof search>) =>
    void navigate({ search: (old: typeof search) => ({ ...old, ...next }), replace: true });
  const [system, setSystem] = useStoredState("tunesmith.chat.system", "");
  const [parameters, setParameters] = useStoredState("tunesmith.chat.parameters", DEFAULTS);
  const [style, setStyle] = useStoredState<StyleName | "">("tunesmith.chat.style", "precise");
  const [shows, setShows] = useState<"settings" | "list" | null>(null);
  const left = useConversation(model, search.chat, (chat) => go({ chat }));
  const right = useConversation(beside, beside ? search.chatBeside : undefined, (chatBeside) => go({ chatBeside }));
  const panes = beside ? [left, right] : [left];
  const isAnswering = panes.some((one) => one.isAnswering);
  const usable = { ...parameters, stop: parameters.stop?.filter(Boolean) ?? [] };
  const toggle = (what: "settings" | "list") => setShows(shows === what ? null : what);
  const anew = () => {
    for (const one of panes) one.stop();
    go({ chat: undefined, chatBeside: undefined });
  };
  const list = (id: string, className: string) => (
    <ConversationList
      id={id}
      className={className}
      current={[search.chat, search.chatBeside]}
      onNew={anew}
      onOpen={(one) => {
        setShows(null);
        setSystem(one.system_prompt ?? "");
        go({ model: one.model ?? undefined, chat: one.id, beside: undefined, chatBeside: undefined });
      }}
      onRemoved={(id) => {
        if (id === search.chat || id === search.chatBeside) anew();
      }}
    />
  );

  return (
    <div className="mx-auto flex h-[calc(100dvh-3.5rem-4rem)] w-full max-w-7xl flex-col px-4 pt-4 sm:px-6 lg:h-[calc(100dvh-3.5rem)] lg:px-8 lg:pb-6">
      <title>{`${t("chat.title")} · Tunesmith`}</title>
      <h1 className="sr-only">{t("chat.title")}</h1>
      <div className="mb-3 flex flex-wrap items-end gap-x-3 gap-y-2">
        <ModelChooser
          models={models}
          model={model}
          beside={beside}
          onChange={(next) => go({ ...next, ...("model" in next && { chat: undefined }), chatBeside: undefined })}
        />
        <span className="ml-auto flex gap-2 max-sm:w-full max-sm:justify-end">
          <Toggle
            className="xl:hidden"
            label={t("chat.conversations")}
            controls="chat-list"
            isOn={shows === "list"}
            onClick={() => toggle("list")}
            icon={<History aria-hidden />}
          />
          <Toggle
            label={t("chat.settings")}
            controls="chat-settings"
            isOn={shows === "settings"}
            onClick={() => toggle("settings")}
            icon={<Settings2 aria-hidden />}
          />
          <KeepMenu conversations={panes.flatMap((one) => (one.id === undefined ? [] : [one.id]))} />
          <Button aria-label={t("chat.clear")} disabled={panes.every((one) => one.turns.length === 0)} onClick={anew}>
            <SquarePen aria-hidden />
            <span className="max-sm:sr-only">{t("chat.clear")}</span>
          </Button>
        </span>
      </div>
      {shows === "settings" && (
        <ChatSettings
          id="chat-settings"
          {...{ system, style }}
          parameters={{ ...DEFAULTS, ...parameters }}
          onSystem={setSystem}
          onStyle={setStyle}
          onParameters={setParameters}
        />
      )}
      {shows === "list" && list("chat-list", "mb-3 max-h-[45dvh] xl:hidden")}
      <div className="flex min-h-0 flex-1 gap-3">
        {list("chat-list-beside", "w-64 shrink-0 max-xl:hidden")}
        <div className={cn("grid min-h-0 min-w-0 flex-1 gap-3", beside && "grid-rows-2 sm:grid-cols-2 sm:grid-rows-1")}>
          {panes.map((one, at) => (
            <ConversationPane
              key={at === 0 ? "left" : "right"}
              model={at === 0 ? model : beside}
              chat={one}
              onAgain={(regenerate) => void one.ask({ system, parameters: usable, regenerate })}
              onEdit={(editOf, prompt) => void one.ask({ system, parameters: usable, editOf, prompt })}
            />
          ))}
        </div>
      </div>
      <Composer
        isAnswering={isAnswering}
        onSend={(prompt) => {
          for (const one of panes) void one.ask({ prompt, system, parameters: usable });
        }}
        onStop={() => {
          for (const one of panes) one.stop();
        }}
      />
    </div>
  );
}

interface ToggleProps {
  label: string;
  controls: string;
  isOn: boolean;
  onClick: () => void;
  icon: ReactNode;
  className?: string;
}

function Toggle({ label, controls, isOn, onClick, icon, className }: ToggleProps) {
  return (
    <Button
      aria-expanded={isOn}
      aria-controls={isOn ? controls : undefined}
      aria-label={label}
      className={className}
      onClick={onClick}
    >
      {icon}
      <span className="max-sm:sr-only">{label}</span>
    </Button>
  );
}
