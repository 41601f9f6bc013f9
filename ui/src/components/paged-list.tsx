import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";

interface PagedListProps<T> {
  query: UseQueryResult<{ items: T[]; total: number }>;
  page: number;
  pageSize: number;
  onPage: (page: number) => void;
  /** What stands there when there is nothing. */
  empty: ReactNode;
  children: (items: T[]) => ReactNode;
}

/** One page of what the server lists, and the way to the others. */
export function PagedList<T>({ query, page, pageSize, onPage, empty, children }: PagedListProps<T>) {
  return (
    <QueryView query={query}>
      {(list) => (
        <>
          {list.items.length === 0 ? empty : children(list.items)}
          <Pagination page={page} pageSize={pageSize} total={list.total} onPage={onPage} />
        </>
      )}
    </QueryView>
  );
}
