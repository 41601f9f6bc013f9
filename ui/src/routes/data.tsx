import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readPage, readText } from "./search";

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

/** A file that has arrived but is no dataset yet: its columns are mapped here. */
export const arrivalRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/data/uploads/$upload",
  validateSearch: (search): { name?: string | undefined } => ({ name: readText(search.name) }),
  component: lazyRouteComponent(() => import("@/features/datasets/mapping/arrival-page"), "ArrivalPage"),
});
