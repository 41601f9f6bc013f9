import { Link } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { Dialog, DropdownMenu } from "radix-ui";
import { useState } from "react";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { CONVERSATIONS, useConversationActions } from "./queries";

const FORMATS = ["markdown", "json", "messages"] as const;
const ITEM = "block cursor-pointer rounded-lg px-3 py-2 outline-none data-highlighted:bg-sunken";

/** What can be kept of a conversation: a file, or training data. */
export function KeepMenu({ conversations }: { conversations: number[] }) {
  const { t } = useI18n();
  const [isAsking, setIsAsking] = useState(false);
  return (
    <>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger asChild>
          <Button aria-label={t("chat.keep")} disabled={conversations.length === 0}>
            <Download aria-hidden />
            <span className="max-sm:sr-only">{t("chat.keep")}</span>
          </Button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            align="end"
            sideOffset={6}
            className="z-50 min-w-56 rounded-xl border border-line bg-raised p-1.5 shadow-card"
          >
            {conversations.flatMap((id) =>
              FORMATS.map((format) => (
                <DropdownMenu.Item key={`${id}-${format}`} asChild className={ITEM}>
                  <a href={`${CONVERSATIONS}/${id}/export?format=${format}`} download>
                    <span className="block font-medium">{t(`chat.exports.${format}`)}</span>
                    <span className="block text-ink-faint text-xs">
                      {t(`chat.exportTexts.${format}`)}
                      {conversations.length > 1 && ` (${id})`}
                    </span>
                  </a>
                </DropdownMenu.Item>
              )),
            )}
            <DropdownMenu.Item className={ITEM} onSelect={() => setIsAsking(true)}>
              <span className="block font-medium">{t("chat.makeDataset")}</span>
              <span className="block text-ink-faint text-xs">{t("chat.makeDatasetText")}</span>
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {isAsking && <DatasetDialog conversations={conversations} onClose={() => setIsAsking(false)} />}
    </>
  );
}

function DatasetDialog({ conversations, onClose }: { conversations: number[]; onClose: () => void }) {
  const { t } = useI18n();
  const { makeDataset } = useConversationActions();
  const [name, setName] = useState("");
  const [selection, setSelection] = useState<"good" | "all">("good");
  const [reach, setReach] = useState<"these" | "every">("these");
  const made = makeDataset.data;
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-canvas/70 backdrop-blur-sm" />
        <Dialog.Content className="fixed top-1/2 left-1/2 z-50 w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-xl border border-line bg-raised p-5 shadow-card">
          <Dialog.Title className="font-semibold text-base">{t("chat.makeDataset")}</Dialog.Title>
          <Dialog.Description className="mt-1.5 text-ink-soft">{t("chat.makeDatasetText")}</Dialog.Description>
          <form
            className="mt-4 space-y-4"
            onSubmit={(event) => {
              event.preventDefault();
              makeDataset.mutate({
                name: name.trim(),
                selection,
                include_system_prompt: true,
                conversation_ids: reach === "these" ? conversations : null,
              });
            }}
          >
            <Field label={t("chat.datasetName")}>
              {(control) => (
                <Input
                  {...control}
                  autoFocus
                  required
                  maxLength={200}
                  value={name}
                  onChange={(event) => setName(event.currentTarget.value)}
                />
              )}
            </Field>
            <div className="flex flex-wrap gap-2">
              <Segmented
                label={t("chat.whichAnswers")}
                value={selection}
                onChange={setSelection}
                options={[
                  { value: "good", label: t("chat.onlyGood") },
                  { value: "all", label: t("chat.allAnswers") },
                ]}
              />
              <Segmented
                label={t("chat.whichConversations")}
                value={reach}
                onChange={setReach}
                options={[
                  { value: "these", label: t("chat.thisConversation") },
                  { value: "every", label: t("chat.everyConversation") },
                ]}
              />
            </div>
            {makeDataset.isError && <ProblemNotice error={makeDataset.error} />}
            {made && (
              <p role="status">
                {t("chat.datasetMade", { name: `${made.name}@${made.version}` })}{" "}
                <Link to="/data/$id" params={{ id: String(made.id) }} className="text-accent underline">
                  {t("chat.datasetOpen")}
                </Link>
              </p>
            )}
            <div className="flex justify-end gap-2">
              <Button onClick={onClose}>{made ? t("chat.close") : t("common.cancel")}</Button>
              <Button type="submit" variant="primary" disabled={!name.trim()} pending={makeDataset.isPending}>
                {t("chat.make")}
              </Button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
