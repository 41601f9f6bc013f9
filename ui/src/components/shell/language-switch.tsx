import { Segmented } from "@/components/ui/segmented";
import { type Locale, useI18n } from "@/i18n";

const LANGUAGES = [
  { value: "en", label: <span lang="en">EN</span>, name: "English" },
  { value: "ko", label: <span lang="ko">한국어</span>, name: "한국어" },
] as const;

export function LanguageSwitch() {
  const { locale, setLocale, t } = useI18n();
  return <Segmented<Locale> label={t("shell.language")} value={locale} options={LANGUAGES} onChange={setLocale} />;
}
