import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readId, readOneOf, readPage, readText } from "./search";

/** The frame of a dataset's pages: its name, what can be done with it, and the tabs, each an address of its own. */
const datasetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/data/$id",
  component: lazyRouteComponent(() => import("@/features/datasets/dataset-page"), "DatasetPage"),
});

const indexRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/data/$id/doctor", params, replace: true });
  },
});

const SEVERITIES = ["red", "amber", "green"] as const;

interface DoctorSearch {
  severity?: (typeof SEVERITIES)[number] | undefined;
  code?: string | undefined;
  page?: number | undefined;
  cluster?: number | undefined;
}

const doctorRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "doctor",
  validateSearch: (search): DoctorSearch => ({
    severity: readOneOf(search.severity, SEVERITIES),
    code: readText(search.code),
    page: readPage(search.page),
    cluster: readId(search.cluster),
  }),
  component: lazyRouteComponent(() => import("@/features/datasets/doctor/doctor-page"), "DoctorPage"),
});

interface TableSearch {
  row?: number | undefined;
  find?: string | undefined;
}

const tableRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "table",
  validateSearch: (search): TableSearch => ({ row: readId(search.row), find: readText(search.find) }),
  component: lazyRouteComponent(() => import("@/features/datasets/table/table-page"), "TablePage"),
});

const exploreRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "explore",
  validateSearch: (search): { column?: string | undefined; method?: "pearson" | "spearman" | undefined } => ({
    column: readText(search.column),
    method: readOneOf(search.method, ["pearson", "spearman"] as const),
  }),
  component: lazyRouteComponent(() => import("@/features/datasets/explore/explore-page"), "ExplorePage"),
});

const tokensRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "tokens",
  validateSearch: (search): { model?: string | undefined; length?: number | undefined } => ({
    model: readText(search.model),
    length: readId(search.length),
  }),
  component: lazyRouteComponent(() => import("@/features/datasets/tokens/tokens-page"), "TokensPage"),
});

const XRAY_FILTERS = ["untrained", "truncated", "no-end"] as const;

interface XraySearch {
  model?: string | undefined;
  length?: number | undefined;
  row?: number | undefined;
  only?: (typeof XRAY_FILTERS)[number] | undefined;
}

const xrayRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "xray",
  validateSearch: (search): XraySearch => ({
    model: readText(search.model),
    length: readId(search.length),
    row: readId(search.row),
    only: readOneOf(search.only, XRAY_FILTERS),
  }),
  component: lazyRouteComponent(() => import("@/features/datasets/xray/xray-page"), "XrayPage"),
});

const splitRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "split",
  component: lazyRouteComponent(() => import("@/features/datasets/split/split-page"), "SplitPage"),
});

const versionsRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "versions",
  validateSearch: (search): { against?: number | undefined; page?: number | undefined } => ({
    against: readId(search.against),
    page: readPage(search.page),
  }),
  component: lazyRouteComponent(() => import("@/features/datasets/versions/versions-page"), "VersionsPage"),
});

const qualityRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "quality",
  component: lazyRouteComponent(() => import("@/features/datasets/quality/quality-page"), "QualityPage"),
});

const mappingRoute = createRoute({
  getParentRoute: () => datasetRoute,
  path: "mapping",
  component: lazyRouteComponent(() => import("@/features/datasets/mapping/mapping-page"), "MappingPage"),
});

export const datasetRoutes = datasetRoute.addChildren([
  indexRoute,
  doctorRoute,
  tableRoute,
  exploreRoute,
  tokensRoute,
  xrayRoute,
  splitRoute,
  versionsRoute,
  qualityRoute,
  mappingRoute,
]);
