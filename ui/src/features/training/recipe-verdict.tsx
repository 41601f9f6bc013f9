import { CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";
import { useI18n } from "@/i18n";

interface RecipeVerdictProps {
  state: "idle" | "checking" | "valid" | "invalid" | "broken";
  count: number;
  problem: { line: number; message: string } | null;
}

export function RecipeVerdict({ state, count, problem }: RecipeVerdictProps) {
  const { t } = useI18n();
  return (
    <p
      role="status"
      className="flex min-h-6 items-start gap-2 text-[0.8125rem] [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0"
    >
      {state === "idle" && <span className="text-ink-soft">{t("train.chooseFirst")}</span>}
      {state === "checking" && (
        <span className="flex gap-2 text-ink-soft">
          <LoaderCircle aria-hidden className="animate-spin" />
          {t("train.checking")}
        </span>
      )}
      {state === "valid" && (
        <span className="flex gap-2 text-green">
          <CircleCheck aria-hidden />
          {t("train.valid")}
        </span>
      )}
      {state === "invalid" && (
        <span className="flex gap-2 text-red">
          <CircleAlert aria-hidden />
          {t("train.invalid", { count })}
        </span>
      )}
      {state === "broken" && problem && (
        <span className="flex gap-2 text-red">
          <CircleAlert aria-hidden />
          {t("train.yamlBroken", { line: problem.line, message: problem.message })}
        </span>
      )}
    </p>
  );
}
