import { useI18n } from "@/i18n";
import type { Turn } from "./conversation";

/** A row as a person would read it: who says what. */
export function ConversationView({ turns }: { turns: readonly Turn[] }) {
  const { known } = useI18n();
  return (
    <dl className="min-w-0 space-y-1.5 text-[0.8125rem]">
      {turns.map((turn, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the turns of a row never move
        <div key={index} className="grid gap-x-4 sm:grid-cols-[5.5rem_minmax(0,1fr)]">
          <dt className="font-medium text-ink-soft text-xs leading-5.5">
            {known("states", `role-${turn.role}`, turn.role)}
          </dt>
          <dd className="min-w-0 whitespace-pre-wrap break-words leading-5.5">{turn.text}</dd>
        </div>
      ))}
    </dl>
  );
}
