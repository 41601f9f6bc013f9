import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { cn } from "@/lib/cn";

/**
 * Text of a model or a card as Markdown. HTML in it stays text, addresses are limited to safe schemes, and pictures
 * are shown by their description only, so that nothing is loaded from anywhere.
 */
const COMPONENTS: Components = {
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
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
