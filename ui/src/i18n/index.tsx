import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { createFormat, type Format } from "@/lib/format";
import { readStored, writeStored } from "@/lib/stored";
import { en } from "./en";
import { errorHintsKo, errorTitlesKo } from "./errors-ko";
import { findingFixesKo } from "./finding-fixes-ko";
import { forecastFixesKo } from "./forecast-fixes-ko";
import { ko } from "./ko";
import type { Arguments, LeafPaths, LocaleShape } from "./types";

export type Messages = LocaleShape<typeof en>;
export type MessageKey = LeafPaths<typeof en>;
export type Locale = "en" | "ko";
export type Translate = <K extends MessageKey>(key: K, ...values: Arguments<typeof en, K>) => string;

const messages: Record<Locale, Messages> = { en, ko };
const STORAGE_KEY = "tunesmith.locale";

function lookUp(locale: Locale, key: string): string | undefined {
  let node: unknown = messages[locale];
  for (const part of key.split(".")) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string, unknown>)[part];
  }
  return typeof node === "string" ? node : undefined;
}

function fill(locale: Locale, text: string, values: Record<string, string | number>, format: Format): string {
  return text.replace(/\{(\w+)(?::([^}|]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = values[name] ?? "";
    if (one === undefined) return typeof value === "number" ? format.number(value) : value;
    return new Intl.PluralRules(locale).select(Number(value)) === "one" ? one : (many ?? one);
  });
}

/** The translator of one language, for components (through `useI18n`) and tests. */
export function createTranslator(locale: Locale): Translate {
  const format = createFormat(locale);
  return (key, ...values) => fill(locale, lookUp(locale, key) ?? key, values[0] ?? {}, format);
}

/** A text for a key that comes from the server (an error's code, a state): undefined where there is none. */
export function findMessage(locale: Locale, key: string, values: Record<string, string | number> = {}) {
  const text = lookUp(locale, key);
  return text === undefined ? undefined : fill(locale, text, values, createFormat(locale));
}

const serverWords: Partial<Record<MessageGroup, Record<string, string>>> = {
  "errors.titles": errorTitlesKo,
  "errors.hints": errorHintsKo,
  fixes: findingFixesKo,
  forecastFixes: forecastFixesKo,
};

function findKnown(locale: Locale, group: MessageGroup, key: string): string | undefined {
  return findMessage(locale, `${group}.${key}`) ?? (locale === "ko" ? serverWords[group]?.[key] : undefined);
}

function initialLocale(): Locale {
  const stored = readStored(STORAGE_KEY);
  if (stored === "en" || stored === "ko") return stored;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

interface I18n {
  locale: Locale;
  setLocale: (locale: Locale) => void;
  t: Translate;
  /** A text for a key from the server, or the fallback where this build does not know it. */
  known: (group: MessageGroup, key: string | null | undefined, fallback: string) => string;
  /** The same for a text with figures in it. */
  say: (group: MessageGroup, key: string, values: Record<string, string | number>) => string | undefined;
  format: Format;
}

type MessageGroup =
  | "ggufChecks"
  | "ggufMethods"
  | "fixes"
  | "states"
  | "errors.titles"
  | "errors.hints"
  | "findings"
  | "forecastFindings"
  | "forecastFixes"
  | "formats"
  | "steps"
  | "columnTypes"
  | "measures"
  | "languages"
  | "warnings"
  | "warningHints"
  | "kinds"
  | "checks"
  | "exportFormats"
  | "metrics";

const I18nContext = createContext<I18n | null>(null);

export function I18nProvider({ children, locale: fixed }: { children: ReactNode; locale?: Locale }) {
  const [locale, setState] = useState<Locale>(() => fixed ?? initialLocale());
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const setLocale = useCallback((next: Locale) => {
    writeStored(STORAGE_KEY, next);
    setState(next);
  }, []);
  const value = useMemo<I18n>(
    () => ({
      locale,
      setLocale,
      t: createTranslator(locale),
      known: (group, key, fallback) => (key ? findKnown(locale, group, key) : undefined) ?? fallback,
      say: (group, key, values) => findMessage(locale, `${group}.${key}`, values),
      format: createFormat(locale),
    }),
    [locale, setLocale],
  );
  return <I18nContext value={value}>{children}</I18nContext>;
}

export function useI18n(): I18n {
  const value = useContext(I18nContext);
  if (!value) throw new Error("useI18n needs an I18nProvider above it");
  return value;
}
