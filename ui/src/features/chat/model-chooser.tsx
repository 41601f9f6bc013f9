import { Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";

interface ModelChooserProps {
  models: string[];
  model: string;
  beside: string;
  onChange: (next: { model?: string; beside?: string | undefined }) => void;
}

/** One model, or two beside each other. A name from the address that the server does not list is kept and shown. */
export function ModelChooser({ models, model, beside, onChange }: ModelChooserProps) {
  const { t } = useI18n();
  const options = (chosen: string) => (models.includes(chosen) || chosen === "" ? models : [chosen, ...models]);
  return (
    <>
      <Select
        aria-label={t("chat.model")}
        className="min-w-0 flex-1 max-sm:basis-2/5 sm:max-w-64"
        value={model}
        onChange={(event) => onChange({ model: event.currentTarget.value })}
      >
        {options(model).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <Select
        aria-label={t("chat.beside")}
        className="min-w-0 flex-1 max-sm:basis-2/5 sm:max-w-64"
        value={beside}
        onChange={(event) => onChange({ beside: event.currentTarget.value || undefined })}
      >
        <option value="">{t("chat.besideNone")}</option>
        {options(beside)
          .filter((name) => name !== model || name === beside)
          .map((name) => (
            <option key={name}>{name}</option>
          ))}
      </Select>
    </>
  );
}
