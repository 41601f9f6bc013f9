import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "@/api/client";

export type SystemInfo = Schema<"SystemInfo">;

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
};
