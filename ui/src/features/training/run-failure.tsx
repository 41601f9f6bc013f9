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
