import { type SyntheticEvent, useEffect, useState } from "react";
import { Input } from "@/components/ui/field";

interface NumberJumpProps {
  label: string;
  value?: number | undefined;
  most: number;
  onValue: (value: number | undefined) => void;
}

/** A number that counts when Enter is pressed or the field is left. */
export function NumberJump({ label, value, most, onValue }: NumberJumpProps) {
  const [text, setText] = useState(value === undefined ? "" : String(value));
  useEffect(() => setText(value === undefined ? "" : String(value)), [value]);
  const number = Number(text.replaceAll(/[\s,]/g, ""));
  const isEmpty = text.trim() === "";
  const isWrong = !isEmpty && !(Number.isInteger(number) && number >= 1 && number <= most);
  const keep = (event?: SyntheticEvent) => {
    event?.preventDefault();
    if (!isWrong && number !== value) onValue(isEmpty ? undefined : number);
  };
  return (
    <form onSubmit={keep}>
      <Input
        aria-label={label}
        placeholder={label}
        title={label}
        inputMode="numeric"
        className="numeric w-40"
        aria-invalid={isWrong || undefined}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={() => !isEmpty && keep()}
      />
    </form>
  );
}
