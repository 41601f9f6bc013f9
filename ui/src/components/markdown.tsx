import { Check, Copy } from "lucide-react";
import { type ReactNode, useRef } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { useCopied } from "@/hooks/use-copied";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

/**
 * Text of a model or a card as Markdown. HTML in it stays text, addresses are limited to safe schemes, and pictures
 * are shown by their description only, so that nothing is loaded from anywhere. Its headings stand below those of the page and card.
 */
const COMPONENTS: Components = {
  h1: "h3",
  h2: "h4",
  h3: "h5",
  h4: "h6",
  h5: "h6",
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  img: ({ alt }) => <span className="text-ink-soft">[{alt}]</span>,
};

export default function Markdown({ text, className }: { text: string; className?: string }) {
  return (
    <div className={cn("prose min-w-0 break-words", className)}>
      <ReactMarkdown remarkPlugins={[remarkGfm]} components={COMPONENTS}>
        {text}
      </ReactMarkdown>
    </div>
  );
}

/** A block of code, with a button that copies it. */
function CodeBlock({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const block = useRef<HTMLPreElement>(null);
  const { isCopied, copy } = useCopied();
  const label = isCopied ? t("common.copied") : t("common.copyCode");
  return (
    <div className="relative">
      <pre ref={block}>{children}</pre>
      <button
        type="button"
        aria-label={label}
        title={label}
        onClick={() => copy(block.current?.innerText ?? "")}
        className="absolute top-1.5 right-1.5 grid size-8 place-items-center rounded-md border border-line bg-raised text-ink-soft hover:text-ink [&_svg]:size-3.5"
      >
        {isCopied ? <Check aria-hidden /> : <Copy aria-hidden />}
      </button>
    </div>
  );
}
