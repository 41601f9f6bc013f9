import { useEffect, useId, useState } from "react";
import { useI18n } from "@/i18n";
import { readValue, showValue } from "./cell-value";

interface FieldEditorProps {
  label: string;
  note?: string;
  value: unknown;
  onValue: (value: unknown) => void;
}

/** A field that is edited where it stands; what was typed counts when one leaves it. */
export function FieldEditor({ label, note, value, onValue }: FieldEditorProps) {
  const { t } = useI18n();
  const id = useId();
  const shown = showValue(value);
  const [text, setText] = useState(shown);
  const [isWrong, setIsWrong] = useState(false);
  useEffect(() => setText(shown), [shown]);

  const keep = () => {
    if (text === shown) return;
    const read = readValue(text, value);
    setIsWrong(read.isWrong);
    if (!read.isWrong) onValue(read.value);
  };
  return (
    <div>
      <label htmlFor={id} className="mb-1 flex justify-between gap-2 font-medium text-ink-soft text-xs">
        <span className="truncate">{label}</span>
        {note && <code className="truncate font-mono font-normal text-ink-faint">{note}</code>}
      </label>
      <textarea
        id={id}
        value={text}
        rows={1}
        aria-invalid={isWrong || undefined}
        className="field-sizing-content block max-h-80 w-full resize-none rounded-lg border border-line bg-surface px-2.5 py-1.5 leading-5 hover:border-line-strong aria-invalid:border-red max-sm:text-base"
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={keep}
      />
      {isWrong && (
        <p role="alert" className="mt-1 text-red text-xs">
          {t("table.notJson")}
        </p>
      )}
    </div>
  );
}
