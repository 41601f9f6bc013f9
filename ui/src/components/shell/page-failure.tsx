import type { ErrorComponentProps } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { useI18n } from "@/i18n";

/** Shown in place of a page that broke, so that the rest of the product stays usable. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  const { t } = useI18n();
  return (
    <Page title={t("shell.failureTitle")}>
      <ProblemNotice error={error} onRetry={reset} />
    </Page>
  );
}
