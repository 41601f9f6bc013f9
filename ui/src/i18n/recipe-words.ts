import type { SchemaField } from "@/lib/schema-fields";
import type { Locale } from "./index";
import { recipeKo } from "./recipe-ko";

/** Title and description of a field of the recipe: the schema's own in English, ours in Korean. */
export function recipeWords(locale: Locale, path: string, field: SchemaField): { title: string; description: string } {
  const korean = locale === "ko" ? recipeKo[path] : undefined;
  return korean
    ? { title: korean[0], description: korean[1] }
    : { title: field.title, description: plain(field.description) };
}

/** Descriptions are written for the reference too, where backticks are code; a form shows plain text. */
function plain(text: string): string {
  return text.replaceAll("`", "");
}
