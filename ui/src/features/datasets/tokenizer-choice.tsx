import { useQuery } from "@tanstack/react-query";
import { Select } from "@/components/ui/field";
import { modelQueries } from "@/features/models/queries";
import { useI18n } from "@/i18n";

export const DEFAULT_MODEL = "tunesmith/tiny";

/** Whose tokenizer and chat template count: any model of this machine. */
export function TokenizerChoice({ value, onValue }: { value: string; onValue: (model: string) => void }) {
  const { t } = useI18n();
  const models = useQuery(modelQueries.local());
  const names = models.data?.map((model) => model.model_id) ?? [];
  return (
    <Select
      aria-label={t("tokens.tokenizer")}
      className="w-64 max-w-full"
      value={value}
      onChange={(event) => onValue(event.currentTarget.value)}
    >
      {[...new Set([value, ...names])].map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </Select>
  );
}
