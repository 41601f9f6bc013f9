import { Info } from "lucide-react";
import { ApiError } from "@/api/errors";
import { ProblemNotice } from "@/components/problem";
import { useI18n } from "@/i18n";
import type { Run } from "./queries";

/** Why a run failed, and what to do. */
export function RunFailure({ run }: { run: Run }) {
  const { known } = useI18n();
  if (run.status !== "failed" || !(run.error_message || run.error_type)) return null;
  const type = run.error_type ?? "UNKNOWN_ERROR";
  const title = known("errors.titles", type, type);
  return (
    <ProblemNotice
      error={new ApiError({ type, title, status: 500, detail: run.error_message ?? "", hint: run.hint ?? null })}
    />
  );
}

/** What is worth knowing about a run and stopped nothing. */
export function RunWarnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <ul className="space-y-1 rounded-xl border border-amber/25 bg-amber-soft px-4 py-3 text-[0.8125rem]">
      {warnings.map((warning) => (
        <li key={warning} className="flex gap-2.5">
          <Info aria-hidden className="mt-0.5 size-4 shrink-0 text-amber" />
          {warning}
        </li>
      ))}
    </ul>
  );
}
