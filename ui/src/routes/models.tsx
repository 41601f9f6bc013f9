import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";
import { readPage } from "./search";

export const modelsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/models",
  validateSearch: (search): { page?: number | undefined } => ({ page: readPage(search.page) }),
  component: lazyRouteComponent(() => import("@/routes/models-page"), "ModelsPage"),
});

export const versionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/models/$id",
  component: lazyRouteComponent(() => import("@/features/registry/version-page"), "VersionPage"),
});

export const certificateRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/models/$id/exports/$exportId",
  component: lazyRouteComponent(() => import("@/features/registry/certificate-page"), "CertificatePage"),
});
