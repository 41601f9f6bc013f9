import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readIds, readOneOf, readPage, readText } from "./search";

export const RUN_STATES = ["pending", "running", "completed", "failed", "stopped"] as const;

interface RunsSearch {
  page?: number | undefined;
  search?: string | undefined;
  status?: (typeof RUN_STATES)[number] | undefined;
}

export const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs",
  validateSearch: (search): RunsSearch => ({
    page: readPage(search.page),
    search: readText(search.search),
    status: readOneOf(search.status, RUN_STATES),
  }),
  component: lazyRouteComponent(() => import("@/features/training/run-list-page"), "RunListPage"),
});

/** Which runs lie over each other is in the address: it can be sent to somebody. */
export const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/compare",
  validateSearch: (search): { ids?: string | undefined } => ({ ids: readIds(search.ids) }),
  component: lazyRouteComponent(() => import("@/features/training/compare-page"), "ComparePage"),
});

export const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$id",
  component: lazyRouteComponent(() => import("@/features/training/run-page"), "RunPage"),
});
