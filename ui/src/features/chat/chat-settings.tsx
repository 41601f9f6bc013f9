import type { ChatParameters } from "@/api/chat";
import { Card } from "@/components/ui/card";
import { Field, Input, Textarea } from "@/components/ui/field";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { recommendedParameters, STYLE_NAMES, type StyleName } from "./queries";

interface ChatSettingsProps {
  id: string;
  system: string;
  parameters: ChatParameters;
  /** The style that the parameters came from; empty once one of them was changed by hand. */
  style: StyleName | "";
  onSystem: (text: string) => void;
  onStyle: (style: StyleName | "") => void;
  onParameters: (parameters: ChatParameters) => void;
}

export function ChatSettings({ id, system, parameters, style, onSystem, onStyle, onParameters }: ChatSettingsProps) {
  const { t, format } = useI18n();
  const set = (change: Partial<ChatParameters>) => {
    onStyle("");
    onParameters({ ...parameters, ...change });
  };
  const choose = async (name: StyleName) => {
    const values = (await recommendedParameters(name)) as Partial<ChatParameters>;
    onParameters({ ...parameters, ...values });
    onStyle(name);
  };
  return (
    <Card id={id} className="mb-3 max-h-[45dvh] shrink-0 overflow-y-auto p-4" aria-label={t("chat.settings")}>
      <Segmented
        label={t("chat.style")}
        className="mb-4 max-w-full overflow-x-auto"
        value={style}
        onChange={(name) => name && void choose(name)}
        options={STYLE_NAMES.map((name) => ({ value: name, label: t(`chat.styles.${name}`) }))}
      />
      <div className="grid gap-4 md:grid-cols-[1.2fr_1fr]">
        <div className="space-y-4">
          <Field label={t("chat.systemPrompt")} description={t("chat.systemPromptHint")}>
            {(control) => (
              <Textarea
                {...control}
                rows={3}
                value={system}
                onChange={(event) => onSystem(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field label={t("chat.stopStrings")} description={t("chat.stopStringsHint")}>
            {(control) => (
              <Textarea
                {...control}
                rows={2}
                value={parameters.stop.join("\n")}
                onChange={(event) => set({ stop: event.currentTarget.value.split("\n").slice(0, 16) })}
              />
            )}
          </Field>
        </div>
        <div className="grid grid-cols-2 gap-4">
          <Field
            label={`${t("chat.temperature")}: ${format.number(parameters.temperature, 1)}`}
            description={t("chat.temperatureHint")}
          >
            {(control) => (
              <input
                {...control}
                type="range"
                min={0}
                max={2}
                step={0.1}
                value={parameters.temperature}
                onChange={(event) => set({ temperature: event.currentTarget.valueAsNumber })}
                className="w-full accent-accent"
              />
            )}
          </Field>
          <Field label={`${t("chat.topP")}: ${format.number(parameters.top_p, 2)}`}>
            {(control) => (
              <input
                {...control}
                type="range"
                min={0.05}
                max={1}
                step={0.05}
                value={parameters.top_p}
                onChange={(event) => set({ top_p: event.currentTarget.valueAsNumber })}
                className="w-full accent-accent"
              />
            )}
          </Field>
          <Field label={t("chat.maxTokens")}>
            {(control) => (
              <Input
                {...control}
                type="number"
                min={1}
                max={4096}
                value={parameters.max_tokens}
                onChange={(event) => set({ max_tokens: Math.max(1, event.currentTarget.valueAsNumber || 1) })}
              />
            )}
          </Field>
          <Field label={t("chat.seed")} description={t("chat.seedHint")}>
            {(control) => (
              <Input
                {...control}
                type="number"
                min={0}
                placeholder={t("train.automatic")}
                value={parameters.seed ?? ""}
                onChange={(event) => {
                  const seed = event.currentTarget.valueAsNumber;
                  set({ seed: Number.isNaN(seed) ? null : seed });
                }}
              />
            )}
          </Field>
        </div>
      </div>
    </Card>
  );
}
