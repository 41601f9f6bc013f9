import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { type ControlProps, Field, Input, Select } from "@/components/ui/field";
import { Switch } from "@/components/ui/switch";
import { useI18n } from "@/i18n";
import { valueAt } from "@/lib/recipe-document";
import type { SchemaField } from "@/lib/schema-fields";

export interface FormProps {
  values: Record<string, unknown>;
  /** Faults by dotted path. */
  errors: ReadonlyMap<string, string>;
  /** Undefined takes the value out, so that the default counts again. */
  onChange: (path: string[], value: unknown) => void;
  /** Words of a field in the reader's language. */
  words: (path: string, field: SchemaField) => { title: string; description: string };
  /** The field's name in the whole document, where it is an item of a list. */
  prefix?: string[];
}

/** Renders fields read from a JSON Schema. A new field of the schema needs no change here. */
export function SchemaFieldView({ field, ...form }: FormProps & { field: SchemaField }) {
  const path = [...(form.prefix ?? []), ...field.path];
  const dotted = path.join(".");
  const { title, description } = form.words(dotted.replace(/\.\d+\./g, "."), field);
  const value = valueAt(form.values, path);
  const error = form.errors.get(dotted);
  if (field.kind === "items")
    return <ItemsField field={field} path={path} title={title} description={description} {...form} />;
  if (field.kind === "section") return null;
  return (
    <Field label={title} description={description} error={error} className="schema-field">
      {(control) => (
        <Control field={field} value={value} control={control} onChange={(next) => form.onChange(path, next)} />
      )}
    </Field>
  );
}

interface ControlsProps<F extends SchemaField> {
  field: F;
  value: unknown;
  control: ControlProps;
  onChange: (value: unknown) => void;
}

type Leaf = Exclude<SchemaField, { kind: "section" | "items" }>;

function Control({ field, value, control, onChange }: ControlsProps<Leaf>) {
  const { t } = useI18n();
  switch (field.kind) {
    case "boolean":
      return (
        <div className="flex h-9 items-center">
          <Switch {...control} checked={Boolean(value ?? field.default)} onCheckedChange={onChange} />
        </div>
      );
    case "choice":
      return (
        <Select
          {...control}
          value={String(value ?? field.default ?? "")}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        >
          {(field.nullable || (field.default === undefined && value === undefined)) && (
            <option value="">{t("train.unset")}</option>
          )}
          {field.options.map((option) => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </Select>
      );
    case "number":
      return (
        <DraftInput {...{ value, control, onChange }} placeholder={placeholder(field)} read={readNumber} numeric />
      );
    case "words":
      return (
        <DraftInput
          {...{ value, control, onChange }}
          placeholder={placeholder(field)}
          read={(text) => readWords(text, field.words)}
        />
      );
    case "text":
      return <DraftInput {...{ value, control, onChange }} placeholder={placeholder(field)} read={(text) => text} />;
  }
}

function placeholder(field: Leaf): string {
  return field.default === undefined || field.default === null ? "" : show(field.default);
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** What is no number stays as it was typed: the server says at this field what it expects. */
function readNumber(text: string): unknown {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function readWords(text: string, words: string[]): unknown {
  if (words.includes(text.trim())) return text.trim();
  return text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter(Boolean);
}

interface DraftInputProps {
  value: unknown;
  control: ControlProps;
  placeholder: string;
  read: (text: string) => unknown;
  numeric?: boolean;
  onChange: (value: unknown) => void;
}

/** Keeps what is being typed ("0.", "a, ") while its value goes into the recipe; follows when the value changes elsewhere. */
function DraftInput({ value, control, placeholder, read, numeric, onChange }: DraftInputProps) {
  const [draft, setDraft] = useState(show(value));
  const meant = draft.trim() === "" ? undefined : read(draft);
  const text = show(meant) === show(value) ? draft : show(value);
  return (
    <Input
      {...control}
      value={text}
      placeholder={placeholder}
      inputMode={numeric ? "decimal" : "text"}
      className={numeric ? "numeric" : undefined}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setDraft(next);
        onChange(next.trim() === "" ? undefined : read(next));
      }}
    />
  );
}

interface ItemsFieldProps extends FormProps {
  field: Extract<SchemaField, { kind: "items" }>;
  path: string[];
  title: string;
  description: string;
}

function ItemsField({ field, path, title, description, ...form }: ItemsFieldProps) {
  const { t } = useI18n();
  const current = valueAt(form.values, path);
  const items = Array.isArray(current) ? (current as Record<string, unknown>[]) : [];
  const change = (next: Record<string, unknown>[]) => form.onChange(path, next.length > 0 ? next : undefined);
  const fresh = () =>
    Object.fromEntries(
      field.item.flatMap((part) => (part.kind === "choice" && part.required ? [[part.path[0], part.options[0]]] : [])),
    );
  return (
    <fieldset className="sm:col-span-2">
      <legend className="font-medium text-[0.8125rem]">{title}</legend>
      <p className="mb-2 text-ink-faint text-xs">{description}</p>
      <ul className="space-y-2">
        {items.map((_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an item of a recipe is known by its place
          <li key={index} className="flex items-end gap-2 rounded-lg border border-line p-3">
            <div className="grid flex-1 grid-cols-2 gap-3">
              {field.item.map((part) => (
                <SchemaFieldView
                  key={part.path.join(".")}
                  {...form}
                  field={part}
                  prefix={[...path, String(index)]}
                  values={form.values}
                  onChange={(at, value) => {
                    const name = at.at(-1) ?? "";
                    change(items.map((item, place) => (place === index ? withKey(item, name, value) : item)));
                  }}
                />
              ))}
            </div>
            <Button
              variant="ghost"
              size="icon"
              aria-label={`${t("train.remove")}: ${title} ${index + 1}`}
              onClick={() => change(items.filter((_, place) => place !== index))}
            >
              <Trash2 aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
      <Button size="small" className="mt-2" onClick={() => change([...items, fresh()])}>
        <Plus aria-hidden />
        {t("train.add")}
      </Button>
    </fieldset>
  );
}

function withKey(item: Record<string, unknown>, name: string, value: unknown): Record<string, unknown> {
  const { [name]: _, ...rest } = item;
  return value === undefined ? rest : { ...rest, [name]: value };
}
