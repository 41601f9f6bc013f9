import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api, idempotency, type Schema } from "@/api/client";

export type Conversation = Schema<"ConversationResponse">;
export type ConversationDetail = Schema<"ConversationDetail">;
export type StoredTurn = Schema<"Turn">;
export type StyleName = Schema<"StyleName">;

export const CONVERSATIONS = "/api/v1/admin/conversations";
export const STYLE_NAMES: readonly StyleName[] = ["precise", "balanced", "creative", "code"];
const LISTED = 50;
const POLL_MS = 700;

export const chatQueries = {
  /** Every name that answers. */
  models: () =>
    queryOptions({
      queryKey: ["chat", "models"],
      queryFn: async ({ signal }) => (await answer(api.GET("/v1/models", { signal }))).data.map((model) => model.id),
      staleTime: 10_000,
    }),
  conversations: (search: string) =>
    queryOptions({
      queryKey: ["chat", "conversations", search],
      queryFn: ({ signal }) =>
        answer(
          api.GET(CONVERSATIONS, {
            signal,
            params: { query: { page_size: LISTED, ...(search && { search }) } },
          }),
        ),
      placeholderData: keepPreviousData,
    }),
  /** A conversation with all its branches; asked for again while somebody else's answer grows in it. */
  conversation: (id: number | undefined) =>
    queryOptions({
      queryKey: ["chat", "conversation", id],
      enabled: id !== undefined,
      queryFn: ({ signal }) =>
        answer(
          api.GET(`${CONVERSATIONS}/{conversation_id}`, { signal, params: { path: { conversation_id: id ?? 0 } } }),
        ),
      refetchInterval: ({ state }) =>
        state.data?.turns.some((turn) => turn.status === "answering") ? POLL_MS : (false as const),
    }),
};

export const createConversation = (body: Schema<"ConversationCreate">) =>
  answer(api.POST(CONVERSATIONS, { body, headers: idempotency() }));

export const updateConversation = (id: number, body: Schema<"ConversationUpdate">) =>
  answer(api.PATCH(`${CONVERSATIONS}/{conversation_id}`, { params: { path: { conversation_id: id } }, body }));

export const recommendedParameters = async (style: StyleName) =>
  (await answer(api.POST("/chat/recommended-parameters", { body: { style, apply: false } }))).parameters;

/** What changes a conversation besides an answer. */
export function useConversationActions() {
  const client = useQueryClient();
  const relist = () => client.invalidateQueries({ queryKey: ["chat", "conversations"] });
  const rename = useMutation({
    mutationFn: ({ id, title }: { id: number; title: string }) => updateConversation(id, { title }),
    onSuccess: (found) => {
      client.setQueryData(["chat", "conversation", found.id], found);
      return relist();
    },
  });
  const remove = useMutation({
    mutationFn: (id: number) =>
      answer(
        api.DELETE(`${CONVERSATIONS}/{conversation_id}`, {
          params: { path: { conversation_id: id } },
          headers: idempotency(),
        }),
      ),
    onSuccess: relist,
  });
  const makeDataset = useMutation({
    mutationFn: (body: Schema<"ConversationDatasetRequest">) =>
      answer(api.POST(`${CONVERSATIONS}/dataset`, { body, headers: idempotency() })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["datasets"] }),
  });
  return { rename, remove, makeDataset };
}
