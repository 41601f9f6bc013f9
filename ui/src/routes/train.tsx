import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readId, readOneOf, readText } from "./search";

interface TrainSearch {
  dataset?: number | undefined;
  base?: string | undefined;
  view?: "form" | "yaml" | undefined;
}

export const trainRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/train",
  validateSearch: (search): TrainSearch => ({
    dataset: readId(search.dataset),
    base: readText(search.base),
    view: readOneOf(search.view, ["form", "yaml"] as const),
  }),
  component: lazyRouteComponent(() => import("@/features/training/train-page"), "TrainPage"),
});
