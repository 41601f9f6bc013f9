import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Input } from "@/components/ui/field";
import { useDebounced } from "@/hooks/use-debounced";
import { cn } from "@/lib/cn";

const SETTLE_MS = 300;

interface SearchFieldProps {
  label: string;
  /** What is searched for when the page opens. */
  initial?: string;
  /** Called once typing has settled, with the trimmed text. */
  onSearch: (text: string) => void;
  className?: string;
}

/** A field that searches as one types, and asks the server only when one pauses. */
export function SearchField({ label, initial = "", onSearch, className }: SearchFieldProps) {
  const [typed, setTyped] = useState(initial);
  const settled = useDebounced(typed.trim(), SETTLE_MS);
  const asked = useRef(initial);
  useEffect(() => {
    if (settled === asked.current) return;
    asked.current = settled;
    onSearch(settled);
  }, [settled, onSearch]);
  return (
    <div className={cn("relative", className)}>
      <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-ink-faint" />
      <Input
        type="search"
        className="pl-9"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </div>
  );
}
