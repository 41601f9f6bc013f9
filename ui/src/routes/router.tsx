import type { QueryClient } from "@tanstack/react-query";
import { createRouter, type RouterHistory } from "@tanstack/react-router";
import { NotFound } from "@/components/shell/not-found";
import { PageFailure } from "@/components/shell/page-failure";
import { PagePending } from "@/components/shell/page-pending";
import { chatRoute } from "./chat";
import { arrivalRoute, datasetsRoute } from "./data";
import { datasetRoutes } from "./dataset";
import { ggufRoute } from "./gguf";
import { homeRoute } from "./home";
import { jobRoute, jobsRoute, systemRoute } from "./jobs";
import { certificateRoute, modelsRoute, versionRoute } from "./models";
import { rootRoute } from "./root";
import { compareRoute, runRoute, runsRoute } from "./runs";
import { trainRoute } from "./train";

const routeTree = rootRoute.addChildren([
  homeRoute,
  datasetsRoute,
  arrivalRoute,
  datasetRoutes,
  trainRoute,
  runsRoute,
  compareRoute,
  runRoute,
  jobsRoute,
  jobRoute,
  systemRoute,
  chatRoute,
  modelsRoute,
  versionRoute,
  certificateRoute,
  ggufRoute,
]);

export function createAppRouter(queryClient: QueryClient, history?: RouterHistory) {
  return createRouter({
    routeTree,
    basepath: "/app",
    context: { queryClient },
    ...(history && { history }),
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultPendingMs: 150,
    defaultPendingComponent: PagePending,
    defaultErrorComponent: PageFailure,
    defaultNotFoundComponent: NotFound,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
