import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readOneOf, readPage, readText } from "./search";

const JOB_STATES = ["waiting", "queued", "running", "stopping", "stopped", "succeeded", "failed", "cancelled"] as const;

interface JobsSearch {
  view?: "queue" | "all" | undefined;
  page?: number | undefined;
  state?: (typeof JOB_STATES)[number] | undefined;
  kind?: string | undefined;
  search?: string | undefined;
}

export const jobsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/jobs",
  validateSearch: (search): JobsSearch => ({
    view: readOneOf(search.view, ["queue", "all"] as const),
    page: readPage(search.page),
    state: readOneOf(search.state, JOB_STATES),
    kind: readText(search.kind),
    search: readText(search.search),
  }),
  component: lazyRouteComponent(() => import("@/features/jobs/jobs-page"), "JobsPage"),
});

export const jobRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/jobs/$id",
  component: lazyRouteComponent(() => import("@/features/jobs/job-page"), "JobPage"),
});

const HOURS = [1, 6, 24] as const;

export const systemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/system",
  validateSearch: (search): { hours?: (typeof HOURS)[number] | undefined; host?: string | undefined } => ({
    hours: readOneOf(Number(search.hours), HOURS as never) as (typeof HOURS)[number] | undefined,
    host: readText(search.host),
  }),
  component: lazyRouteComponent(() => import("@/features/system/system-page"), "SystemPage"),
});
