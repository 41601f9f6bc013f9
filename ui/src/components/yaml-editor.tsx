import { type ReactNode, useRef } from "react";
import { cn } from "@/lib/cn";

interface YamlEditorProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Lines with a fault. */
  marked: ReadonlySet<number>;
  className?: string;
}

/** A text area with line numbers; the colours lie under transparent text, so editing is the browser's own. */
export function YamlEditor({ label, value, onChange, marked, className }: YamlEditorProps) {
  const backdrop = useRef<HTMLDivElement>(null);
  const lines = value.split("\n");
  return (
    <div className={cn("relative overflow-hidden font-mono text-[0.8125rem] leading-6", className)}>
      <div ref={backdrop} aria-hidden className="pointer-events-none absolute inset-0 overflow-hidden py-3">
        {lines.map((line, index) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
            key={index}
            className={cn("flex h-6 whitespace-pre", marked.has(index + 1) && "bg-red-soft")}
          >
            <span
              className={cn(
                "numeric w-11 shrink-0 pr-3 text-end text-ink-faint/80 text-xs leading-6",
                marked.has(index + 1) && "font-semibold text-red",
              )}
            >
              {index + 1}
            </span>
            <span className="pr-4">{paint(line)}</span>
          </div>
        ))}
      </div>
      <textarea
        aria-label={label}
        value={value}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        wrap="off"
        onChange={(event) => onChange(event.currentTarget.value)}
        onScroll={(event) => {
          const { scrollTop, scrollLeft } = event.currentTarget;
          backdrop.current?.scrollTo(scrollLeft, scrollTop);
        }}
        className="absolute inset-0 size-full resize-none overflow-auto whitespace-pre bg-transparent py-3 pr-4 pl-11 text-transparent caret-ink outline-offset-[-2px]"
      />
    </div>
  );
}

const LINE = /^(\s*(?:- )*)([^\s#:'"[\]{}-][^:#]*)(:)(\s.*|)$/;

function paint(line: string): ReactNode {
  if (/^\s*#/.test(line)) return <span className="text-ink-faint">{line}</span>;
  const parts = LINE.exec(line);
  if (!parts) return <span className="text-ink">{line || " "}</span>;
  const [, indent, key, colon, rest = ""] = parts;
  const comment = rest.search(/\s#/);
  const value = comment < 0 ? rest : rest.slice(0, comment);
  return (
    <>
      {indent}
      <span className="text-accent">{key}</span>
      <span className="text-ink-faint">{colon}</span>
      <span className={/^\s*(-?[\d.]+(e-?\d+)?|true|false|null)\s*$/i.test(value) ? "text-blue" : "text-ink"}>
        {value}
      </span>
      {comment >= 0 && <span className="text-ink-faint">{rest.slice(comment)}</span>}
    </>
  );
}
