import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactElement } from "react";
import { I18nProvider, type Locale } from "@/i18n";
import { createAppRouter } from "@/routes/router";

const newClient = () => new QueryClient({ defaultOptions: { queries: { retry: false } } });

/** The whole application at an address, as a person would open it. */
export function renderApp(address: string, locale: Locale = "en") {
  const queryClient = newClient();
  const router = createAppRouter(queryClient, createMemoryHistory({ initialEntries: [`/app${address}`] }));
  const view = render(
    <QueryClientProvider client={queryClient}>
      <I18nProvider locale={locale}>
        <RouterProvider router={router} />
      </I18nProvider>
    </QueryClientProvider>,
  );
  return { ...view, router };
}

/** One component with what it needs around it, but no router. */
export function renderPart(element: ReactElement, locale: Locale = "en") {
  return render(
    <QueryClientProvider client={newClient()}>
      <I18nProvider locale={locale}>{element}</I18nProvider>
    </QueryClientProvider>,
  );
}
