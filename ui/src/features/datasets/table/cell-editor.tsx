import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { readValue, showValue } from "./cell-value";

interface CellEditorProps {
  label: string;
  value: unknown;
  opensUp: boolean;
  onValue: (value: unknown) => void;
  onClose: () => void;
}

/** Opens over a cell. Enter keeps, Shift+Enter is a new line, Escape leaves it as it was. */
export function CellEditor({ label, value, opensUp, onValue, onClose }: CellEditorProps) {
  const { t } = useI18n();
  const [text, setText] = useState(() => showValue(value));
  const [isWrong, setIsWrong] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const helpId = useId();

  useEffect(() => {
    const element = area.current;
    element?.focus({ preventScroll: true });
    element?.setSelectionRange(element.value.length, element.value.length);
    element?.closest("[role=gridcell]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, []);

  const keep = () => {
    const read = readValue(text, value);
    if (read.isWrong) {
      setIsWrong(true);
      return;
    }
    onValue(read.value);
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a Korean syllable is being composed, Enter belongs to the input method.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      keep();
    } else if (event.key === "Escape") {
      event.preventDefault();
      onClose();
    }
    event.stopPropagation();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keeps clicks inside from choosing the cell below
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      className={cn(
        "absolute left-0 z-30 w-max min-w-full max-w-[min(34rem,80vw)] rounded-lg border border-accent bg-raised p-2 text-start shadow-card",
        opensUp ? "bottom-0" : "top-0",
      )}
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      <textarea
        ref={area}
        aria-label={label}
        aria-describedby={helpId}
        aria-invalid={isWrong || undefined}
        value={text}
        rows={Math.min(10, Math.max(2, Math.ceil(text.length / 48) + text.split("\n").length - 1))}
        className="block w-[min(32rem,76vw)] resize-y rounded bg-surface p-1.5 leading-5 outline-none max-sm:text-base"
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div className="mt-1.5 flex items-center justify-between gap-3">
        <span id={helpId} className={isWrong ? "text-red text-xs" : "text-ink-faint text-xs"}>
          {isWrong ? t("table.notJson") : t("table.editorKeys")}
        </span>
        <span className="flex gap-1.5">
          <Button size="small" variant="ghost" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button size="small" variant="primary" onClick={keep}>
            {t("table.keep")}
          </Button>
        </span>
      </div>
    </div>
  );
}
