import { Monitor, Moon, Sun } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { type Theme, useTheme } from "@/lib/appearance";

const NEXT: Record<Theme, Theme> = { light: "dark", dark: "system", system: "light" };
const ICONS = { light: Sun, dark: Moon, system: Monitor };

/** Light, dark or what the system says: three buttons where there is room, one that steps on a phone. */
export function ThemeSwitch() {
  const { t } = useI18n();
  const [theme, setTheme] = useTheme();
  const Icon = ICONS[theme];
  const names = { light: t("shell.light"), dark: t("shell.dark"), system: t("shell.system") };
  const name = `${t("shell.theme")}: ${names[theme]}`;
  return (
    <>
      <Button
        size="icon"
        variant="ghost"
        className="sm:hidden"
        aria-label={name}
        title={name}
        onClick={() => setTheme(NEXT[theme])}
      >
        <Icon aria-hidden />
      </Button>
      <Segmented<Theme>
        className="max-sm:hidden"
        label={t("shell.theme")}
        value={theme}
        onChange={setTheme}
        options={[
          { value: "light", label: <Sun aria-hidden />, name: names.light },
          { value: "dark", label: <Moon aria-hidden />, name: names.dark },
          { value: "system", label: <Monitor aria-hidden />, name: names.system },
        ]}
      />
    </>
  );
}
