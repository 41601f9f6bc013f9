import { useMutation } from "@tanstack/react-query";
import { ArrowDown, Search } from "lucide-react";
import { type SyntheticEvent, useEffect, useRef, useState } from "react";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { findRow } from "@/features/datasets/queries";
import { useI18n } from "@/i18n";

interface RowSearchProps {
  id: number;
  text: string | undefined;
  /** The search goes on after this row. */
  current: number;
  onText: (text: string | undefined) => void;
  onRow: (row: number) => void;
}

/** Goes to the next row that holds a text, and from the last one to the first again. */
export function RowSearch({ id, text = "", current, onText, onRow }: RowSearchProps) {
  const { t, format } = useI18n();
  const [draft, setDraft] = useState(text);
  const abort = useRef<AbortController>(null);
  useEffect(() => setDraft(text), [text]);
  useEffect(() => () => abort.current?.abort(), []);
  const [scanned, setScanned] = useState<number | null>(null);

  const search = useMutation({
    mutationFn: async (wanted: string) => {
      abort.current?.abort();
      abort.current = new AbortController();
      return findRow(id, wanted, current, abort.current.signal, setScanned);
    },
    onSuccess: (row) => row !== null && onRow(row),
    onSettled: () => setScanned(null),
  });

  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    const wanted = draft.trim();
    onText(wanted || undefined);
    if (wanted) search.mutate(wanted);
  };
  const isNothing = search.isSuccess && search.data === null && search.variables === draft.trim();

  return (
    <form onSubmit={send} className="flex min-w-0 flex-wrap items-center gap-2 max-sm:w-full">
      <div className="relative min-w-0 flex-1 sm:w-64">
        <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-ink-faint" />
        <Input
          type="search"
          aria-label={t("table.find")}
          placeholder={t("table.find")}
          value={draft}
          maxLength={200}
          className="pl-9"
          onChange={(event) => setDraft(event.currentTarget.value)}
        />
      </div>
      <Button type="submit" pending={search.isPending} disabled={draft.trim() === ""}>
        <ArrowDown aria-hidden />
        {t("table.findNext")}
      </Button>
      {scanned !== null && (
        <span role="status" className="numeric text-ink-soft text-xs">
          {t("table.searching", { row: format.number(scanned) })}
        </span>
      )}
      {isNothing && (
        <span role="status" className="text-ink-soft text-xs">
          {t("table.notFound")}
        </span>
      )}
      {search.isError && search.error.name !== "AbortError" && (
        <ProblemNotice error={search.error} className="w-full" />
      )}
    </form>
  );
}
