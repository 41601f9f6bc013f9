import { RotateCw, TriangleAlert } from "lucide-react";
import { asApiError } from "@/api/errors";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

interface ProblemProps {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}

/** What went wrong, in the reader's language where the code is known, always with the server's own words beside it. */
export function ProblemNotice({ error, onRetry, className }: ProblemProps) {
  const { t, known } = useI18n();
  const { problem, code } = asApiError(error);
  const title = known("errors.titles", code, problem.title);
  const said = problem.hint ?? "";
  const hint = known("errors.hints", code, said);
  return (
    <div
      role="alert"
      className={cn("flex gap-3 rounded-xl border border-red/25 bg-red-soft px-4 py-3 text-[0.875rem]", className)}
    >
      <TriangleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0 text-red" />
      <div className="min-w-0 flex-1 space-y-1">
        <p className="font-semibold">{title}</p>
        {problem.detail && <p lang="en">{problem.detail}</p>}
        {problem.errors && problem.errors.length > 0 && (
          <ul className="list-disc space-y-0.5 pl-5">
            {problem.errors.map((fault) => (
              <li key={`${fault.location}-${fault.message}`}>
                <code className="font-mono text-xs">{fault.location}</code> {fault.message}
              </li>
            ))}
          </ul>
        )}
        {hint && (
          <p className="text-ink-soft">
            <span className="font-medium">{t("common.hint")}</span> {hint}
            {said && said !== hint && (
              <span lang="en" className="mt-0.5 block text-ink-faint text-xs">
                {said}
              </span>
            )}
          </p>
        )}
        {problem.instance && (
          <p className="text-ink-faint text-xs">
            {t("common.requestId")} <code className="select-all font-mono">{problem.instance}</code>
          </p>
        )}
      </div>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          <RotateCw aria-hidden />
          {t("common.tryAgain")}
        </Button>
      )}
    </div>
  );
}
