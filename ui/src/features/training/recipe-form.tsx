import { ChevronRight } from "lucide-react";
import { type FormProps, SchemaFieldView } from "@/components/form-from-schema";
import { useI18n } from "@/i18n";
import { recipeWords } from "@/i18n/recipe-words";
import type { SchemaField } from "@/lib/schema-fields";
import { layOut } from "./recipe-layout";

type RecipeFormProps = Omit<FormProps, "words" | "prefix"> & { fields: SchemaField[] };

/** The recipe as a form: what most people change in sight, the rest by section. */
export function RecipeForm({ fields, ...form }: RecipeFormProps) {
  const { t, locale } = useI18n();
  const { essential, groups } = layOut(fields);
  const words = (path: string, field: SchemaField) => recipeWords(locale, path, field);
  const show = (field: SchemaField) => (
    <SchemaFieldView key={field.path.join(".")} field={field} words={words} {...form} />
  );
  return (
    <>
      <fieldset>
        <legend className="sr-only">{t("train.essentials")}</legend>
        <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">{essential.map(show)}</div>
      </fieldset>
      <section aria-labelledby="all-settings" className="mt-8">
        <h3 id="all-settings" className="mb-2 font-semibold">
          {t("train.advanced")}
        </h3>
        <div className="divide-y divide-line rounded-lg border border-line">
          {groups.map((group) => {
            const text = words(group.name, group.field);
            const hasFault = [...form.errors.keys()].some((path) =>
              group.fields.some((field) => path.startsWith(field.path.join("."))),
            );
            return (
              <details key={group.name} open={hasFault || undefined} className="group">
                <summary className="flex list-none items-center gap-3 px-4 py-3 hover:bg-sunken/60 [&::-webkit-details-marker]:hidden">
                  <ChevronRight
                    aria-hidden
                    className="size-4 shrink-0 text-ink-faint transition-transform group-open:rotate-90"
                  />
                  <span className="min-w-0 flex-1">
                    <span className="font-medium">{text.title}</span>
                    <span className="block text-ink-faint text-xs">{text.description}</span>
                  </span>
                  <span className="numeric shrink-0 text-ink-faint text-xs">
                    {t("train.advancedNote", { count: group.fields.length })}
                  </span>
                </summary>
                <div className="grid gap-x-4 gap-y-5 px-4 pt-2 pb-5 sm:grid-cols-2">{group.fields.map(show)}</div>
              </details>
            );
          })}
        </div>
      </section>
    </>
  );
}
