import { Download } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { DATASETS, type DatasetDetail } from "./queries";

const FORMATS = ["jsonl", "csv", "parquet", "hf"] as const;

/** The rows as a file, in a format that other programs read. */
export function DownloadMenu({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useI18n();
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button>
          <Download aria-hidden />
          {t("data.download")}
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          className="z-50 min-w-56 rounded-xl border border-line bg-raised p-1.5 shadow-card"
        >
          {FORMATS.map((format) => (
            <DropdownMenu.Item
              key={format}
              asChild
              className="block cursor-pointer rounded-lg px-3 py-2 outline-none data-highlighted:bg-sunken"
            >
              <a href={`${DATASETS}/${dataset.id}/download?format=${format}`} download>
                <span className="block font-medium">{t(`data.downloads.${format}`)}</span>
                <span className="block text-ink-faint text-xs">{t(`data.downloadTexts.${format}`)}</span>
              </a>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
