import { useId } from "react";
import { findMessage, useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { valueAt } from "@/lib/recipe-document";
import { leaves, type SchemaField } from "@/lib/schema-fields";

interface MethodChooserProps {
  fields: SchemaField[];
  values: Record<string, unknown>;
  onChange: (path: string[], value: unknown) => void;
}

/** Which weights change and what is learned, each with when to use it. It offers what this server's recipe has. */
export function MethodChooser({ fields, values, onChange }: MethodChooserProps) {
  const { t } = useI18n();
  const choose = (part: "adapter" | "objective", old: string) => (next: string) => {
    onChange(["method", part], next);
    // Settings of the choice before would be refused beside the new one.
    if (part === "objective" && valueAt(values, ["method", old]) !== undefined) onChange(["method", old], undefined);
    if (part === "adapter" && next !== "qlora" && valueAt(values, ["method", "quantization"]) !== undefined)
      onChange(["method", "quantization"], undefined);
  };
  const objective = readChoice(fields, values, "objective");
  const adapter = readChoice(fields, values, "adapter");
  return (
    <section aria-label={t("methods.title")} className="mb-6 space-y-5 border-line border-b pb-6">
      <Cards title={t("methods.objective")} {...objective} onChoose={choose("objective", objective.value)} />
      <Cards title={t("methods.adapter")} {...adapter} onChoose={choose("adapter", adapter.value)} />
      <p className="text-ink-faint text-xs">{t("methods.rag")}</p>
    </section>
  );
}

function readChoice(fields: SchemaField[], values: Record<string, unknown>, part: string) {
  const field = leaves(fields).find((leaf) => leaf.path.join(".") === `method.${part}`);
  const options = field?.kind === "choice" ? field.options : field ? [String(field.default ?? "")] : [];
  const value = String(valueAt(values, ["method", part]) ?? field?.default ?? options[0] ?? "");
  return { options: options.filter(Boolean), value };
}

interface CardsProps {
  title: string;
  options: string[];
  value: string;
  onChoose: (value: string) => void;
}

function Cards({ title, options, value, onChoose }: CardsProps) {
  const { locale } = useI18n();
  const name = useId();
  if (options.length === 0) return null;
  return (
    <fieldset>
      <legend className="mb-2 font-medium text-[0.8125rem]">{title}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {options.map((option) => (
          <label
            key={option}
            className={cn(
              "block cursor-pointer rounded-lg border px-3 py-2.5 has-focus-visible:outline-2 has-focus-visible:outline-accent",
              option === value ? "border-accent bg-accent-soft" : "border-line hover:border-line-strong",
            )}
          >
            <input
              type="radio"
              className="sr-only"
              name={name}
              value={option}
              checked={option === value}
              onChange={() => onChoose(option)}
            />
            <span className="block font-medium">{findMessage(locale, `methods.${option}`) ?? option}</span>
            <span className="block text-ink-soft text-xs">{findMessage(locale, `methods.${option}When`)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
