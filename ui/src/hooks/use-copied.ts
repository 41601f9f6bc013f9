import { useEffect, useState } from "react";

const SHOWN_MS = 1_500;

/** Copies text, and says for a moment that it did. */
export function useCopied() {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (text: string) => {
    // The clipboard is missing on plain http from another machine; nothing was copied then, and nothing is said.
    void navigator.clipboard?.writeText(text).then(() => setIsCopied(true));
  };
  return { isCopied, copy };
}
