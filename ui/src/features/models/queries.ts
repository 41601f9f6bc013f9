import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "@/api/client";

export type LocalModel = Schema<"LocalModel">;

export const modelQueries = {
  all: () => ["models"] as const,
  local: () =>
    queryOptions({
      queryKey: [...modelQueries.all(), "local"],
      queryFn: async ({ signal }) => (await answer(api.GET("/model/local-models", { signal }))).items,
    }),
};
