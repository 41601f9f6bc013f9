import { useQuery } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { recipeQueries } from "./recipe-queries";

interface PresetChooserProps {
  onChoose: (yaml: string) => void;
  onStartOver: () => void;
}

export function PresetChooser({ onChoose, onStartOver }: PresetChooserProps) {
  const { t } = useI18n();
  const presets = useQuery(recipeQueries.presets());
  return (
    <>
      {presets.data && presets.data.length > 0 && (
        <Select
          aria-label={t("train.preset")}
          className="w-56"
          value=""
          onChange={(event) => {
            const chosen = presets.data.find((preset) => preset.name === event.currentTarget.value);
            if (chosen) onChoose(chosen.yaml);
          }}
        >
          <option value="">{t("train.presetChoose")}</option>
          {presets.data.map((preset) => (
            <option key={preset.name} value={preset.name} title={preset.description}>
              {preset.name}
            </option>
          ))}
        </Select>
      )}
      <Button variant="ghost" onClick={onStartOver}>
        <RotateCcw aria-hidden />
        {t("train.startOver")}
      </Button>
    </>
  );
}
