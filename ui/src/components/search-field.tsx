import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Input } from "@/components/ui/field";
import { cn } from "@/lib/cn";

const SETTLE_MS = 300;

interface SearchFieldProps {
  label: string;
  /** What is searched for, where the address says it: the field follows a link that says something else. */
  value?: string | undefined;
  /** Called once typing has settled, with the trimmed text. */
  onSearch: (text: string) => void;
  className?: string;
}

/** A field that searches as one types, and asks the server only when one pauses. */
export function SearchField({ label, value = "", onSearch, className }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  const asked = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (value === asked.current) return;
    clearTimeout(timer.current);
    asked.current = value;
    setTyped(value);
  }, [value]);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (text.trim() === asked.current) return;
      asked.current = text.trim();
      onSearch(asked.current);
    }, SETTLE_MS);
  };
  return (
    <div className={cn("relative", className)}>
      <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-ink-faint" />
      <Input
        type="search"
        className="pl-9"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
      />
    </div>
  );
}
