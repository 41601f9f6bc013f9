import { CircleCheck, CircleX } from "lucide-react";
import { useState } from "react";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Field, Input } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { useValidate, type Validation } from "./queries";

/** Checks any GGUF file that the server may read. */
export function ValidateCard() {
  const { t } = useI18n();
  const [path, setPath] = useState("");
  const validate = useValidate();
  return (
    <Card>
      <CardHeader title={t("gguf.validate")} description={t("gguf.validateText")} />
      <form
        className="space-y-3 px-5 pb-5"
        onSubmit={(event) => {
          event.preventDefault();
          validate.mutate(path.trim());
        }}
      >
        <Field label={t("gguf.path")}>
          {(control) => (
            <Input
              {...control}
              required
              placeholder="exports/job-7/guide-1.0.0-Q4_K_M.gguf"
              value={path}
              onChange={(event) => setPath(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" pending={validate.isPending} disabled={!path.trim()}>
          {t("gguf.check")}
        </Button>
        {validate.isError && <ProblemNotice error={validate.error} />}
        {validate.isPending && <p className="text-ink-soft text-xs">{t("gguf.checking")}</p>}
        {validate.data && <Found result={validate.data} />}
      </form>
    </Card>
  );
}

function Found({ result }: { result: Validation }) {
  const { t, known } = useI18n();
  return (
    <div role="status" className="space-y-1.5 text-[0.8125rem]">
      <p className={result.valid ? "font-medium text-green" : "font-medium text-red"}>
        {t(result.valid ? "gguf.sound" : "gguf.unsound")}
      </p>
      <ul className="space-y-1">
        {result.checks.map((check) => (
          <li key={check.name} className="flex items-start gap-2">
            {check.passed ? (
              <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-green" />
            ) : (
              <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-red" />
            )}
            <span className="min-w-0 break-words text-ink-soft">
              <span className="font-medium text-ink">{known("ggufChecks", check.name, check.name)}</span>{" "}
              <span className="sr-only">{check.passed ? t("runs.passed") : t("runs.failed")}</span> {check.message}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
