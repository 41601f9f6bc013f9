import { ChevronLeft, ChevronRight } from "lucide-react";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";

interface PaginationProps {
  page: number;
  pageSize: number;
  total: number;
  onPage: (page: number) => void;
}

export function Pagination({ page, pageSize, total, onPage }: PaginationProps) {
  const { t } = useI18n();
  const pages = Math.max(1, Math.ceil(total / pageSize));
  if (pages === 1 && page <= 1) return null;
  const first = (page - 1) * pageSize + 1;
  return (
    <nav
      aria-label={t("common.pages")}
      className="flex items-center justify-between gap-3 border-line border-t px-5 py-3"
    >
      <span className="numeric text-[0.8125rem] text-ink-soft">
        {first <= total && t("common.range", { first, last: Math.min(total, page * pageSize), total })}
      </span>
      <span className="flex gap-1.5">
        <Button size="small" disabled={page <= 1} onClick={() => onPage(Math.min(page - 1, pages))}>
          <ChevronLeft aria-hidden />
          {t("common.previous")}
        </Button>
        <Button size="small" disabled={page >= pages} onClick={() => onPage(page + 1)}>
          {t("common.next")}
          <ChevronRight aria-hidden />
        </Button>
      </span>
    </nav>
  );
}
