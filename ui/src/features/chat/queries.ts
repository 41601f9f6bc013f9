import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "@/api/client";

export const chatQueries = {
  /** Every name that `/v1/chat/completions` answers to. */
  models: () =>
    queryOptions({
      queryKey: ["chat", "models"],
      queryFn: async ({ signal }) => (await answer(api.GET("/v1/models", { signal }))).data.map((model) => model.id),
      staleTime: 10_000,
    }),
};
