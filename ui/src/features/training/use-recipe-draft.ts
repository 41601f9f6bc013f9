import { useMemo, useRef } from "react";
import type { Dataset } from "@/features/datasets/queries";
import { useStoredState } from "@/hooks/use-stored-state";
import { type ParsedRecipe, parseRecipe, valueAt, withValue } from "@/lib/recipe-document";
import { datasetReference } from "./source-choosers";

const STORAGE_KEY = "tunesmith.recipe";
const BLANK =
  "version: 1\nname:\nmodel:\n  base:\ndata:\n  train:\n  split:\n    train: 0.9\n    validation: 0.1\ntraining:\n  epochs: 3\nregister:\n  name: my-model\n";

interface Draft {
  text: string;
  parsed: ParsedRecipe;
  /** The newest values that could be read; the form shows them while the text is being mended. */
  values: Record<string, unknown>;
  isBlank: boolean;
  setText: (text: string) => void;
  change: (path: string[], value: unknown) => void;
  chooseDataset: (dataset: Dataset) => void;
  choosePreset: (yaml: string) => void;
  startOver: () => void;
}

/** The recipe being written: one text, which the form and the editor both read and change. */
export function useRecipeDraft(): Draft {
  const [stored, setStored] = useStoredState<string | null>(STORAGE_KEY, null);
  const text = stored ?? BLANK;
  const parsed = useMemo(() => parseRecipe(text), [text]);
  const lastGood = useRef<Record<string, unknown>>({});
  if (parsed.value) lastGood.current = parsed.value;
  // Several changes in one event build on each other, so the newest text is kept beside the state.
  const newest = useRef(text);
  newest.current = text;

  const setText = (next: string) => {
    newest.current = next;
    setStored(next);
  };
  const change = (path: string[], value: unknown) => setText(withValue(newest.current, path, value));
  const chooseDataset = (dataset: Dataset) => {
    const name = valueAt(lastGood.current, ["name"]);
    const isOurs = !name || name === nameInReference(valueAt(lastGood.current, ["data", "train"]));
    change(["data", "train"], datasetReference(dataset));
    if (!isOurs) return;
    change(["name"], dataset.name);
    const slug = slugOf(dataset.name);
    if (slug) change(["register", "name"], slug);
  };

  return {
    text,
    parsed,
    values: parsed.value ?? lastGood.current,
    isBlank: stored === null,
    setText,
    change,
    chooseDataset,
    choosePreset: (yaml) => setText(forThisServer(yaml, valueAt(lastGood.current, ["data", "train"]))),
    startOver: () => setStored(null),
  };
}

const PATHS = [
  ["data", "train"],
  ["data", "validation"],
  ["data", "test"],
  ["evaluate", "questions"],
  ["evaluate", "general"],
];

/** A preset names files beside itself, which a browser cannot reach: the dataset chosen here takes their place. */
function forThisServer(yaml: string, dataset: unknown): string {
  const { value } = parseRecipe(yaml);
  let text = yaml;
  for (const path of PATHS) {
    const named = valueAt(value, path);
    if (typeof named === "string" && !named.startsWith("dataset:")) text = withValue(text, path, undefined);
  }
  return typeof dataset === "string" && dataset.startsWith("dataset:")
    ? withValue(text, ["data", "train"], dataset)
    : text;
}

function nameInReference(reference: unknown): string | undefined {
  return typeof reference === "string" ? /^dataset:(.+)@[^@]*$/.exec(reference)?.[1] : undefined;
}

/** A registry name allows letters, digits, `_` and `-` only; a Korean name gives none. */
export function slugOf(name: string): string {
  const slug = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return /[A-Za-z]/.test(slug) ? slug.slice(0, 255) : "";
}
