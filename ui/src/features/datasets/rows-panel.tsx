import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { useI18n } from "@/i18n";
import { toConversation } from "./conversation";
import { datasetQueries, PAGE_SIZE } from "./queries";

const route = getRouteApi("/data/$id");

/** The rows as conversations, as a person would read them; a row that is none is shown as it is. */
export function RowsPanel({ id }: { id: number }) {
  const { t } = useI18n();
  const { page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const preview = useQuery(datasetQueries.preview(id, (page - 1) * PAGE_SIZE));
  return (
    <QueryView query={preview}>
      {(list) => (
        <>
          {list.rows.length === 0 && <p className="px-5 py-10 text-center text-ink-soft">{t("data.noRows")}</p>}
          <ol data-testid="rows" className="divide-y divide-line">
            {list.rows.map((row) => (
              <li key={row.row} className="grid gap-x-5 gap-y-2 px-5 py-4 sm:grid-cols-[4rem_1fr]">
                <span className="numeric text-[0.8125rem] text-ink-faint">
                  {t("data.rowNumber", { row: String(row.row) })}
                </span>
                <Row data={row.data} fault={row.error} />
              </li>
            ))}
          </ol>
          <Pagination
            page={page}
            pageSize={PAGE_SIZE}
            total={list.total ?? 0}
            onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
          />
        </>
      )}
    </QueryView>
  );
}

function Row({ data, fault }: { data: unknown; fault: string | null | undefined }) {
  const { known } = useI18n();
  if (fault) return <p className="text-red">{fault}</p>;
  const turns = toConversation(data);
  if (!turns) {
    return (
      <pre className="min-w-0 overflow-x-auto whitespace-pre-wrap break-words rounded-lg bg-sunken p-3 font-mono text-xs">
        {typeof data === "string" ? data : JSON.stringify(data, null, 2)}
      </pre>
    );
  }
  return (
    <dl className="min-w-0 space-y-2">
      {turns.map((turn, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the turns of a row never move
        <div key={index} className="grid gap-x-4 sm:grid-cols-[5.5rem_1fr]">
          <dt className="font-medium text-ink-soft text-xs leading-6">
            {known("states", `role-${turn.role}`, turn.role)}
          </dt>
          <dd className="min-w-0 whitespace-pre-wrap break-words">{turn.text}</dd>
        </div>
      ))}
    </dl>
  );
}
