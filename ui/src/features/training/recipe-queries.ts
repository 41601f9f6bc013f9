import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import type { JsonSchema } from "@/lib/schema-fields";

const PATH = "/api/v1/admin/recipes";

export const recipeQueries = {
  schema: () =>
    queryOptions({
      queryKey: ["recipes", "schema"],
      queryFn: async ({ signal }) => (await answer(api.GET(`${PATH}/schema`, { signal }))) as JsonSchema,
      staleTime: Number.POSITIVE_INFINITY,
    }),
  presets: () =>
    queryOptions({
      queryKey: ["recipes", "presets"],
      queryFn: async ({ signal }) => (await answer(api.GET(`${PATH}/presets`, { signal }))).items,
      staleTime: Number.POSITIVE_INFINITY,
    }),
  validation: (yaml: string) =>
    queryOptions({
      queryKey: ["recipes", "validate", yaml],
      queryFn: ({ signal }) => answer(api.POST(`${PATH}/validate`, { signal, body: { yaml } })),
      placeholderData: keepPreviousData,
      gcTime: 30_000,
    }),
};
