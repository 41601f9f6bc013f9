import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { runQueries } from "@/features/training/queries";
import { useI18n } from "@/i18n";
import { useTheme } from "@/lib/appearance";
import { cn } from "@/lib/cn";
import { type Entry, matching } from "./entries";

const PAGES: {
  to: "/" | "/data" | "/train" | "/runs" | "/jobs" | "/models" | "/chat" | "/system" | "/gguf";
  key: "gguf.title" | `nav.${"home" | "data" | "train" | "runs" | "jobs" | "models" | "chat" | "system"}`;
}[] = [
  { to: "/", key: "nav.home" },
  { to: "/data", key: "nav.data" },
  { to: "/train", key: "nav.train" },
  { to: "/runs", key: "nav.runs" },
  { to: "/jobs", key: "nav.jobs" },
  { to: "/models", key: "nav.models" },
  { to: "/gguf", key: "gguf.title" },
  { to: "/chat", key: "nav.chat" },
  { to: "/system", key: "nav.system" },
];
const LISTED_RUNS = 20;

type ActionKey =
  `palette.${"upload" | "newRun" | "compareRuns" | "light" | "dark" | "followSystem" | "english" | "korean"}`;

/** Pages, actions and the newest runs; what is typed narrows them, the keyboard chooses. */
export default function PaletteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const [typed, setTyped] = useState("");
  const [place, setPlace] = useState(0);
  const listId = useId();
  const entries = matching(useEntries(), typed);
  const chosen = entries[Math.min(place, entries.length - 1)];
  const list = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another choice is the reason to scroll
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen?.id]);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return; // Enter ends a Korean syllable first
    const last = entries.length - 1;
    if (event.key === "ArrowDown") setPlace(place >= last ? 0 : place + 1);
    else if (event.key === "ArrowUp") setPlace(place <= 0 ? last : place - 1);
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog.Root open onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-canvas/70 backdrop-blur-sm" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-50 w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-raised shadow-card"
        >
          <Dialog.Title className="sr-only">{t("palette.open")}</Dialog.Title>
          <input
            role="combobox"
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={chosen && `${listId}-${chosen.id}`}
            aria-label={t("palette.placeholder")}
            placeholder={t("palette.placeholder")}
            value={typed}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              setPlace(0);
            }}
            onKeyDown={onKeyDown}
            className="w-full border-line border-b bg-transparent px-4 py-3.5 text-base outline-none placeholder:text-ink-faint"
          />
          <div
            ref={list}
            id={listId}
            role="listbox"
            aria-label={t("palette.open")}
            className="max-h-[50dvh] overflow-y-auto p-2"
          >
            {entries.length === 0 && <p className="px-3 py-6 text-center text-ink-faint">{t("palette.none")}</p>}
            {entries.map((entry, at) => (
              <div key={entry.id} role="presentation">
                {entries[at - 1]?.group !== entry.group && (
                  <p className="px-3 pt-2 pb-1 text-ink-faint text-xs">{entry.group}</p>
                )}
                <div
                  id={`${listId}-${entry.id}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={entry === chosen}
                  onPointerMove={() => setPlace(at)}
                  onClick={() => run(entry)}
                  onKeyDown={onKeyDown}
                  className={cn(
                    "cursor-pointer truncate rounded-lg px-3 py-2",
                    entry === chosen && "bg-accent-soft text-accent",
                  )}
                >
                  {entry.title}
                </div>
              </div>
            ))}
          </div>
          <p className="border-line border-t px-4 py-2 text-ink-faint text-xs max-sm:hidden">{t("palette.help")}</p>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function useEntries(): Entry[] {
  const { t, setLocale } = useI18n();
  const [, setTheme] = useTheme();
  const navigate = useNavigate();
  const runs = useQuery(runQueries.list({ page: 1, page_size: LISTED_RUNS })).data?.items ?? [];
  const action = (key: ActionKey, run: () => void): Entry => ({
    id: key,
    group: t("palette.actions"),
    title: t(key),
    run,
  });
  return [
    ...PAGES.map(({ to, key }) => ({
      id: key,
      group: t("palette.pages"),
      title: t(key),
      words: to,
      run: () => void navigate({ to }),
    })),
    action("palette.upload", () => void navigate({ to: "/data" })),
    action("palette.newRun", () => void navigate({ to: "/train" })),
    action("palette.compareRuns", () => {
      const ids = runs.slice(0, 2).map((run) => run.id);
      void navigate({ to: "/runs/compare", search: { ids: ids.join(",") || undefined } });
    }),
    action("palette.light", () => setTheme("light")),
    action("palette.dark", () => setTheme("dark")),
    action("palette.followSystem", () => setTheme("system")),
    action("palette.english", () => setLocale("en")),
    action("palette.korean", () => setLocale("ko")),
    ...runs.map((run) => ({
      id: `run-${run.id}`,
      group: t("palette.runs"),
      title: `${run.job_name} #${run.id}`,
      run: () => void navigate({ to: "/runs/$id", params: { id: String(run.id) } }),
    })),
  ];
}
