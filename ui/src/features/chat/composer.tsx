import { ArrowUp, Square } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";

interface ComposerProps {
  isAnswering: boolean;
  onSend: (prompt: string) => void;
  onStop: () => void;
}

const LEGACY_IME_KEY_CODE = 229;

/** While a Korean syllable is being composed, Enter ends the composition and must not send. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === LEGACY_IME_KEY_CODE;
}

export function Composer({ isAnswering, onSend, onStop }: ComposerProps) {
  const { t } = useI18n();
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const canSend = text.trim() !== "" && !isAnswering;

  const send = () => {
    if (!canSend) return;
    onSend(text.trim());
    setText("");
    area.current?.focus();
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      className="mt-3 shrink-0 pb-2"
    >
      <div className="flex items-end gap-2 rounded-2xl border border-line-strong/80 bg-surface p-2 shadow-card focus-within:border-accent">
        <textarea
          ref={area}
          aria-label={t("chat.prompt")}
          aria-describedby="composer-hint"
          placeholder={t("chat.placeholder")}
          rows={1}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
            event.preventDefault();
            send();
          }}
          className="field-sizing-content max-h-40 min-h-9 min-w-0 flex-1 resize-none bg-transparent px-2 py-1.5 leading-6 outline-none max-sm:text-base"
        />
        {isAnswering ? (
          <Button size="icon" aria-label={t("chat.stop")} title={t("chat.stop")} onClick={onStop}>
            <Square aria-hidden />
          </Button>
        ) : (
          <Button
            type="submit"
            variant="primary"
            size="icon"
            aria-label={t("chat.send")}
            title={t("chat.send")}
            disabled={!canSend}
          >
            <ArrowUp aria-hidden />
          </Button>
        )}
      </div>
      <p id="composer-hint" className="mt-1.5 px-3 text-ink-faint text-xs max-sm:sr-only">
        {t("chat.enterHint")}
      </p>
    </form>
  );
}
