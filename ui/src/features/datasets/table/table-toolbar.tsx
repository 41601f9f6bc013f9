import { type SyntheticEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import type { DatasetDetail } from "@/features/datasets/queries";
import { useI18n } from "@/i18n";
import { RowSearch } from "./row-search";

interface TableToolbarProps {
  dataset: DatasetDetail;
  total: number;
  find: string | undefined;
  /** Number of the row that is active. */
  current: number;
  onGo: (row: number) => void;
  onFind: (text: string | undefined) => void;
}

export function TableToolbar({ dataset, total, find, current, onGo, onFind }: TableToolbarProps) {
  const { t, format } = useI18n();
  const [number, setNumber] = useState("");
  const [isWrong, setIsWrong] = useState(false);

  const go = (event: SyntheticEvent) => {
    event.preventDefault();
    const row = Number(number.replaceAll(/[\s,.]/g, ""));
    if (Number.isInteger(row) && row >= 1 && row <= total) onGo(row);
    else setIsWrong(true);
  };

  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b px-4 py-3">
      <RowSearch id={dataset.id} text={find} current={current} onText={onFind} onRow={onGo} />
      <form onSubmit={go} className="flex items-center gap-2">
        <Input
          aria-label={t("table.goTo")}
          placeholder={t("table.goTo")}
          inputMode="numeric"
          value={number}
          aria-invalid={isWrong || undefined}
          className="numeric w-36"
          onChange={(event) => {
            setNumber(event.currentTarget.value);
            setIsWrong(false);
          }}
        />
        <Button type="submit">{t("table.go")}</Button>
      </form>
      <p className="numeric ms-auto text-ink-soft text-xs" role={isWrong ? "alert" : undefined}>
        {isWrong ? (
          <span className="text-red">{t("table.noSuchRow", { total: format.number(total) })}</span>
        ) : (
          t("table.place", { row: format.number(current), total: format.number(total) })
        )}
      </p>
    </div>
  );
}
