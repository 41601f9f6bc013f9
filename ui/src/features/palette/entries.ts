export interface Entry {
  id: string;
  group: string;
  title: string;
  /** What one may type besides the title, the address for instance. */
  words?: string;
  run: () => void;
}

/** The entries that have every word that was typed, in their order; all of them while nothing is typed. */
export function matching(entries: readonly Entry[], typed: string): Entry[] {
  const words = typed.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => {
    const text = `${entry.title} ${entry.words ?? ""}`.normalize("NFC").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
