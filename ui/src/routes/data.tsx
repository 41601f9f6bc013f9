import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readOneOf, readPage, readText } from "./search";

interface ListSearch {
  page?: number | undefined;
  search?: string | undefined;
}

export const datasetsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/data",
  validateSearch: (search): ListSearch => ({ page: readPage(search.page), search: readText(search.search) }),
  component: lazyRouteComponent(() => import("@/features/datasets/dataset-list-page"), "DatasetListPage"),
});

export const DATASET_VIEWS = ["findings", "rows", "split"] as const;
export const SEVERITIES = ["red", "amber", "green"] as const;

interface DatasetSearch {
  view?: (typeof DATASET_VIEWS)[number] | undefined;
  severity?: (typeof SEVERITIES)[number] | undefined;
  code?: string | undefined;
  page?: number | undefined;
}

export const datasetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/data/$id",
  validateSearch: (search): DatasetSearch => ({
    view: readOneOf(search.view, DATASET_VIEWS),
    severity: readOneOf(search.severity, SEVERITIES),
    code: readText(search.code),
    page: readPage(search.page),
  }),
  component: lazyRouteComponent(() => import("@/features/datasets/dataset-page"), "DatasetPage"),
});
