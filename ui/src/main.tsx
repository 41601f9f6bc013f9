import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asApiError } from "@/api/errors";
import { I18nProvider } from "@/i18n";
import { createAppRouter } from "@/routes/router";
import "@/styles.css";

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the server refuses it refuses again; only a lost connection is worth another try.
      retry: (failures, error) => failures < 2 && [0, 502, 503, 504].includes(asApiError(error).status),
    },
  },
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <I18nProvider>
        <RouterProvider router={createAppRouter(queryClient)} />
      </I18nProvider>
    </QueryClientProvider>
  </StrictMode>,
);
