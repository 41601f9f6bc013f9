import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { DATASETS, datasetQueries } from "@/features/datasets/queries";

// INTERIM
export interface FindingsOfKind {
  checked: boolean;
  total: number;
  by_code: Record<string, number>;
}
export interface QualityLog {
  id: number;
  dataset_id: number;
  quality_score: number;
  passed?: boolean;
  pii: FindingsOfKind;
  duplicates: FindingsOfKind;
  format_errors: FindingsOfKind;
  created_at: string;
}
export interface QualityPage {
  items: QualityLog[];
  total: number;
  weights?: Record<string, number>;
}

export const qualityQueries = {
  history: (id: number) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "quality", id],
      queryFn: ({ signal }) =>
        call<QualityPage>("GET", `${DATASETS}/${id}/quality`, { signal, query: { page: 1, page_size: 100 } }),
    }),
};
