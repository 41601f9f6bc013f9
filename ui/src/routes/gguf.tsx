import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";

export const ggufRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/gguf",
  component: lazyRouteComponent(() => import("@/features/gguf/gguf-page"), "GgufPage"),
});
