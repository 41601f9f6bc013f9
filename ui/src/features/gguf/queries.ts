import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, answerOrJob, api, idempotency, type Schema } from "@/api/client";
import { finished, isActive } from "@/api/jobs";

export type Conversion = Schema<"GgufConversion">;
export type Validation = Schema<"GgufValidation">;
export type ConvertRequest = Schema<"GgufConvertRequest">;

export const PAGE_SIZE = 10;
/** Size at 16 bits of a model with seven billion weights: what methods are compared for until another is named. */
export const MODEL_GB = 14;
const sized = (gigabytes: number) => ({ params: { query: { model_size_gb: gigabytes } } });

export const ggufQueries = {
  all: () => ["gguf"] as const,
  methods: (gigabytes: number) =>
    queryOptions({
      queryKey: [...ggufQueries.all(), "methods", gigabytes],
      queryFn: ({ signal }) => answer(api.GET("/gguf/methods", { signal, ...sized(gigabytes) })),
      placeholderData: keepPreviousData,
    }),
  recommended: (gigabytes: number) =>
    queryOptions({
      queryKey: [...ggufQueries.all(), "recommended", gigabytes],
      queryFn: ({ signal }) => answer(api.GET("/gguf/methods/recommended", { signal, ...sized(gigabytes) })),
      placeholderData: keepPreviousData,
    }),
  history: (page: number) =>
    queryOptions({
      queryKey: [...ggufQueries.all(), "history", page],
      queryFn: ({ signal }) =>
        answer(api.GET("/gguf/history", { signal, params: { query: { page, page_size: PAGE_SIZE } } })),
      placeholderData: keepPreviousData,
      refetchInterval: ({ state }) => (state.data?.items.some((one) => isActive(one.state)) ? 2_000 : false),
    }),
  statistics: () =>
    queryOptions({
      queryKey: [...ggufQueries.all(), "statistics"],
      queryFn: ({ signal }) => answer(api.GET("/gguf/statistics", { signal })),
    }),
};

/** Starts a conversion; answers the job that writes and certifies the files. */
export function useConvert() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: ConvertRequest) => {
      const outcome = await answerOrJob(
        api.POST("/gguf/convert", { params: { query: { wait: 0 } }, body, headers: idempotency() }),
      );
      return "job" in outcome ? outcome.job : null;
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ggufQueries.all() }),
  });
}

/** Checks a file to the end. */
export function useValidate() {
  return useMutation({
    mutationFn: async (file_path: string) =>
      finished<Validation>(
        await answerOrJob(
          api.POST("/gguf/validate", { params: { query: { wait: 30 } }, body: { file_path, prompt: "Hello" } }),
        ),
      ),
  });
}

export function useClearHistory() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST("/gguf/history/clear", {})),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ggufQueries.all() }),
  });
}
