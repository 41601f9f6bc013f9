import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readOneOf, readPage } from "./search";

export const RUN_STATES = ["pending", "running", "completed", "failed", "stopped"] as const;

interface RunsSearch {
  page?: number | undefined;
  status?: (typeof RUN_STATES)[number] | undefined;
}

export const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs",
  validateSearch: (search): RunsSearch => ({
    page: readPage(search.page),
    status: readOneOf(search.status, RUN_STATES),
  }),
  component: lazyRouteComponent(() => import("@/features/training/run-list-page"), "RunListPage"),
});

export const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$id",
  component: lazyRouteComponent(() => import("@/features/training/run-page"), "RunPage"),
});
