import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { answer, api, type Schema } from "@/api/client";
import { isActive, type Job } from "@/api/jobs";

export type LocalModel = Schema<"LocalModel">;
export type BaseModel = Schema<"BaseModelSummary">;
export type ModelDetails = Schema<"BaseModelDetails">;
export type Source = "local" | "hub";
export type Use = "inference" | "lora" | "qlora" | "full";

export const USES: readonly Use[] = ["inference", "lora", "qlora", "full"];
export const BASE_MODELS = "/api/v1/admin/base-models";
export const PAGE_SIZE = 12;

export interface Filters {
  source: Source;
  search: string;
  fits: Use | "";
  license: string;
  page: number;
}

const given = (query: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "" && value !== undefined));

export const modelQueries = {
  all: () => ["models"] as const,
  local: () =>
    queryOptions({
      queryKey: [...modelQueries.all(), "local"],
      queryFn: async ({ signal }) => (await answer(api.GET("/model/local-models", { signal }))).items,
    }),
  list: (filters: Filters) =>
    queryOptions({
      queryKey: [...modelQueries.all(), "list", filters],
      queryFn: ({ signal }) =>
        call<Schema<"BaseModelListResponse">>("GET", BASE_MODELS, {
          signal,
          query: given({ ...filters, page_size: PAGE_SIZE }),
        }),
      placeholderData: keepPreviousData,
      retry: false,
    }),
  details: (id: string, source: Source, token: string) =>
    queryOptions({
      queryKey: [...modelQueries.all(), "details", id, source, token !== ""],
      queryFn: ({ signal }) =>
        call<ModelDetails>("GET", `${BASE_MODELS}/${id}`, {
          signal,
          query: given({ source: source === "local" ? source : undefined, access_token: token }),
        }),
      retry: false,
    }),
  downloads: () =>
    queryOptions({
      queryKey: [...modelQueries.all(), "downloads"],
      queryFn: ({ signal }) =>
        answer(api.GET("/api/v1/admin/jobs", { signal, params: { query: { kind: "download", page_size: 20 } } })),
      refetchInterval: ({ state }) => (state.data?.items.some((job) => isActive(job.state)) ? 1_500 : false),
    }),
};

/** The id of the model that a download fetches. */
export const modelOf = (job: Job) => String((job.spec as Record<string, unknown>).model_id);

/** Of each model the newest download, while it goes on or waits for somebody to go on with it. */
export function openDownloads(jobs: Job[]): Job[] {
  const newest = new Map<string, Job>();
  for (const job of jobs) if (!newest.has(modelOf(job))) newest.set(modelOf(job), job);
  return [...newest.values()].filter((job) => job.state !== "succeeded");
}
