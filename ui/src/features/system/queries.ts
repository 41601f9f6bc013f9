import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "@/api/client";

export type SystemInfo = Schema<"SystemInfo">;
export type Worker = Schema<"WorkerView">;
export type ResourceSample = Schema<"ResourceSample">;

const PATH = "/api/v1/admin/system";

export const systemQueries = {
  health: () =>
    queryOptions({
      queryKey: ["system", "health"],
      queryFn: ({ signal }) => answer(api.GET("/health", { signal })),
      refetchInterval: 10_000,
      retry: false,
    }),
  info: () =>
    queryOptions({
      queryKey: ["system", "info"],
      queryFn: ({ signal }) => answer(api.GET("/api/v1/admin/system", { signal })),
      refetchInterval: 15_000,
    }),
  workers: () =>
    queryOptions({
      queryKey: ["system", "workers"],
      queryFn: async ({ signal }) => (await answer(api.GET(`${PATH}/workers`, { signal }))).items,
      refetchInterval: 5_000,
    }),
  devices: () =>
    queryOptions({
      queryKey: ["system", "devices"],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/devices`, { signal })),
      refetchInterval: 5_000,
    }),
  disk: () =>
    queryOptions({
      queryKey: ["system", "disk"],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/disk`, { signal })),
      refetchInterval: 60_000,
    }),
  resources: (filter: { hours: number; host?: string | undefined }) =>
    queryOptions({
      queryKey: ["system", "resources", filter],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/resources`, { signal, params: { query: filter } })),
      refetchInterval: 10_000,
    }),
};
