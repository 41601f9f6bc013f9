import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readId, readText } from "./search";

interface ChatSearch {
  model?: string | undefined;
  beside?: string | undefined;
  /** Conversation with the model, and the one beside it. */
  chat?: number | undefined;
  chatBeside?: number | undefined;
}

export const chatRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/chat",
  validateSearch: (search): ChatSearch => ({
    model: readText(search.model),
    beside: readText(search.beside),
    chat: readId(search.chat),
    chatBeside: readId(search.chatBeside),
  }),
  component: lazyRouteComponent(() => import("@/features/chat/chat-page"), "ChatPage"),
});
