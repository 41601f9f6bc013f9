import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readText } from "./search";

interface ChatSearch {
  model?: string | undefined;
  beside?: string | undefined;
}

export const chatRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/chat",
  validateSearch: (search): ChatSearch => ({ model: readText(search.model), beside: readText(search.beside) }),
  component: lazyRouteComponent(() => import("@/features/chat/chat-page"), "ChatPage"),
});
