import type { Schema } from "@/api/client";

/** A job's result is a document of its kind; these read the parts that the run page shows. */
type Result = Record<string, unknown> | null | undefined;

interface Side {
  loss?: number;
  perplexity?: number;
  answers_right?: number;
  answers_total?: number;
  preference_accuracy?: number;
  preference_margin?: number;
}

export interface ComparisonRow {
  measure: "loss" | "perplexity" | "answersRight" | "preferenceAccuracy" | "preferenceMargin";
  about: "data" | "general";
  base: number;
  tuned: number;
  /** Answers asked, where the figures are counts. */
  total?: number;
  isShare: boolean;
  lowerIsBetter: boolean;
}

export function readComparison(result: Result): ComparisonRow[] {
  const general = result?.general as Result;
  return [...compare(result, "data"), ...compare(general, "general")];
}

function compare(document: Result, about: ComparisonRow["about"]): ComparisonRow[] {
  const base = (document?.base ?? {}) as Side;
  const tuned = (document?.tuned ?? {}) as Side;
  const rows: ComparisonRow[] = [];
  const add = (measure: ComparisonRow["measure"], key: keyof Side, lowerIsBetter: boolean, total?: number) => {
    const pair = [base[key], tuned[key]];
    if (typeof pair[0] !== "number" || typeof pair[1] !== "number") return;
    const isShare = measure === "preferenceAccuracy";
    const counted = total !== undefined && { total };
    rows.push({ measure, about, base: pair[0], tuned: pair[1], isShare, lowerIsBetter, ...counted });
  };
  add("answersRight", "answers_right", false, base.answers_total ?? tuned.answers_total);
  add("loss", "loss", true);
  add("perplexity", "perplexity", true);
  add("preferenceAccuracy", "preference_accuracy", false);
  add("preferenceMargin", "preference_margin", false);
  return rows.filter((row) => row.total !== 0);
}

export function readVersion(result: Result): { id: number; name: string } | null {
  if (typeof result?.model_id !== "number" || typeof result.version !== "string") return null;
  return { id: result.model_id, name: result.version };
}

type ExportDocument = Pick<Schema<"ExportResponse">, "format" | "method" | "size_bytes" | "certificate">;

export function readExports(result: Result): ExportDocument[] {
  return Array.isArray(result?.exports) ? (result.exports as ExportDocument[]) : [];
}
