import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Rows3 } from "lucide-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { Card } from "@/components/ui/card";
import { type DatasetDetail, datasetQueries, type PreviewRow } from "@/features/datasets/queries";
import { useI18n } from "@/i18n";
import { pointerOf } from "@/lib/json-pointer";
import type { RowRange } from "@/lib/virtual-scroll";
import { useDataset } from "../use-dataset";
import { columnsOf } from "./columns";
import type { CellPlace } from "./navigation";
import { PendingBar } from "./pending-bar";
import { isDeleted, withCell, withRowDeleted } from "./pending-edits";
import { RowDetail } from "./row-detail";
import { RowGrid } from "./row-grid";
import { TableToolbar } from "./table-toolbar";
import { usePendingEdits } from "./use-pending-edits";
import { useRowWindow } from "./use-row-window";

const route = getRouteApi("/data/$id/table");

/** Every row of the dataset in a table that can be edited; what is changed becomes a version of its own. */
export function TablePage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const first = useQuery(datasetQueries.rows(dataset.id, 0));
  return (
    <Card className="overflow-clip">
      <QueryView query={first}>
        {(page) => {
          const total = page.total ?? dataset.total_samples ?? page.rows.length;
          if (total === 0) {
            return (
              <EmptyState icon={Rows3} title={t("table.emptyTitle")}>
                {t("table.emptyText")}
              </EmptyState>
            );
          }
          return (
            <DatasetTable key={dataset.id} dataset={dataset} total={total} names={page.columns} sample={page.rows} />
          );
        }}
      </QueryView>
    </Card>
  );
}

interface DatasetTableProps {
  dataset: DatasetDetail;
  total: number;
  names: string[];
  sample: PreviewRow[];
}

function DatasetTable({ dataset, total, names, sample }: DatasetTableProps) {
  const { row: shown, find } = route.useSearch();
  const navigate = useNavigate({ from: "/data/$id/table" });
  const [range, setRange] = useState<RowRange>({ first: 0, end: 0 });
  const [active, setActive] = useState<CellPlace>({ index: (shown ?? 1) - 1, column: 0 });
  const [editing, setEditing] = useState(false);
  const [goal, setGoal] = useState<{ index: number } | null>(null);
  const [edits, change] = usePendingEdits(dataset.id);
  const { rowAt, error, retry } = useRowWindow(dataset.id, total, range);
  const columns = useMemo(() => columnsOf(names, sample), [names, sample]);

  // The row in the address is brought into sight: after a link from a finding, a refresh, or the back button.
  useEffect(() => {
    if (shown === undefined) return;
    const index = Math.min(shown, total) - 1;
    setActive((old) => ({ index, column: old.column }));
    setGoal({ index });
  }, [shown, total]);

  const open = useCallback(
    (row: number | undefined) => void navigate({ search: (old) => ({ ...old, row }), replace: true }),
    [navigate],
  );
  const isShownLoaded = shown !== undefined && shown <= total;

  return (
    <>
      <TableToolbar
        dataset={dataset}
        total={total}
        find={find}
        current={active.index + 1}
        onGo={(row) => {
          open(row);
          setGoal({ index: row - 1 });
        }}
        onFind={(text) => void navigate({ search: (old) => ({ ...old, find: text }), replace: true })}
      />
      {error ? <ProblemNotice error={error} onRetry={retry} className="m-4" /> : null}
      <div className={isShownLoaded ? "lg:grid lg:grid-cols-[minmax(0,1fr)_25rem]" : undefined}>
        <RowGrid
          total={total}
          columns={columns}
          rowAt={rowAt}
          edits={edits}
          active={active}
          editing={editing}
          goal={goal}
          onRange={setRange}
          onActive={(place) => {
            setEditing(false);
            setActive(place);
            if (shown !== undefined && place.index !== active.index) open(place.index + 1);
          }}
          onEdit={(place) => {
            if (place) setActive(place);
            setEditing(place !== null && isEditable(rowAt(place.index)));
          }}
          onValue={(row, column, value) =>
            change((old) =>
              withCell(old, {
                row: row.row,
                pointer: pointerOf(column),
                value,
                before: (row.data as Record<string, unknown>)[column] ?? null,
              }),
            )
          }
          onDelete={(index) => change((old) => withRowDeleted(old, index + 1, !isDeleted(old, index + 1)))}
          onOpen={(index) => open(index + 1)}
        />
        {isShownLoaded && (
          <RowDetail
            id={dataset.id}
            number={shown}
            row={rowAt(shown - 1)}
            edits={edits}
            onChange={change}
            onClose={() => open(undefined)}
          />
        )}
      </div>
      <PendingBar dataset={dataset} edits={edits} onChange={change} />
    </>
  );
}

const isEditable = (row: PreviewRow | undefined) => typeof row?.data === "object" && row.data !== null;
