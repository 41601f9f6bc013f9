import { useQuery } from "@tanstack/react-query";
import { Check, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { SearchField } from "@/components/search-field";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { isComposing } from "./composer";
import { type Conversation, chatQueries, useConversationActions } from "./queries";

interface ListProps {
  id: string;
  current: (number | undefined)[];
  className?: string;
  onOpen: (conversation: Conversation) => void;
  onNew: () => void;
  onRemoved: (id: number) => void;
}

/** The conversations that were kept: opened, renamed, removed. */
export function ConversationList({ id, current, className, onOpen, onNew, onRemoved }: ListProps) {
  const { t } = useI18n();
  const [search, setSearch] = useState("");
  const found = useQuery(chatQueries.conversations(search));
  const { rename, remove } = useConversationActions();
  const [renamed, setRenamed] = useState<Conversation | null>(null);
  const [removed, setRemoved] = useState<Conversation | null>(null);
  return (
    <Card id={id} aria-label={t("chat.conversations")} className={cn("flex min-h-0 flex-col", className)}>
      <div className="flex items-center gap-2 border-line border-b p-2">
        <SearchField className="flex-1" label={t("chat.searchConversations")} onSearch={setSearch} />
        <Button size="icon" aria-label={t("chat.clear")} title={t("chat.clear")} onClick={onNew}>
          <Plus aria-hidden />
        </Button>
      </div>
      <ul className="min-h-0 flex-1 overflow-y-auto p-1.5">
        {found.data?.items.length === 0 && (
          <li className="px-2 py-4 text-center text-ink-faint text-xs">{t("chat.noConversations")}</li>
        )}
        {found.data?.items.map((one) =>
          renamed?.id === one.id ? (
            <RenameItem
              key={one.id}
              conversation={one}
              onDone={(title) => {
                setRenamed(null);
                if (title && title !== one.title) rename.mutate({ id: one.id, title });
              }}
            />
          ) : (
            <li key={one.id} className="group relative">
              <button
                type="button"
                aria-current={current.includes(one.id) || undefined}
                onClick={() => onOpen(one)}
                className="block w-full rounded-lg px-2.5 py-2 pr-16 text-left hover:bg-sunken aria-[current]:bg-accent-soft"
              >
                <span className="block truncate font-medium text-[0.8125rem]">{one.title || t("chat.untitled")}</span>
                <span className="block truncate text-ink-faint text-xs">
                  {one.model} · <TimeAgo time={one.updated_at} />
                </span>
              </button>
              <span className="absolute top-1.5 right-1 flex [@media(hover:hover)]:opacity-0 [@media(hover:hover)]:focus-within:opacity-100 [@media(hover:hover)]:group-hover:opacity-100">
                <Button
                  size="small"
                  variant="ghost"
                  className="px-1.5"
                  aria-label={t("chat.rename", { title: one.title })}
                  title={t("chat.renameShort")}
                  onClick={() => setRenamed(one)}
                >
                  <Pencil aria-hidden />
                </Button>
                <Button
                  size="small"
                  variant="ghost"
                  className="px-1.5"
                  aria-label={t("chat.remove", { title: one.title })}
                  title={t("chat.removeShort")}
                  onClick={() => setRemoved(one)}
                >
                  <Trash2 aria-hidden />
                </Button>
              </span>
            </li>
          ),
        )}
      </ul>
      <ConfirmDialog
        open={removed !== null}
        title={t("chat.removeTitle")}
        text={t("chat.removeText", { title: removed?.title ?? "" })}
        confirm={t("chat.removeShort")}
        onClose={() => setRemoved(null)}
        onConfirm={() => {
          if (removed) remove.mutate(removed.id, { onSuccess: () => onRemoved(removed.id) });
          setRemoved(null);
        }}
      />
    </Card>
  );
}

function RenameItem({ conversation, onDone }: { conversation: Conversation; onDone: (title: string) => void }) {
  const { t } = useI18n();
  const [title, setTitle] = useState(conversation.title);
  return (
    <li className="flex items-center gap-1 p-1">
      <Input
        autoFocus
        aria-label={t("chat.rename", { title: conversation.title })}
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        onBlur={() => onDone(title.trim())}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone("");
          if (event.key === "Enter" && !isComposing(event)) onDone(title.trim());
        }}
      />
      <Button size="icon" variant="ghost" aria-label={t("chat.renameDone")} onClick={() => onDone(title.trim())}>
        <Check aria-hidden />
      </Button>
    </li>
  );
}
