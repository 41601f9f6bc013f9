import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { fakeServer, json } from "@/test/fake-server";
import { renderPart } from "@/test/render-app";
import { MethodsCard } from "./methods-card";

it("asks for methods and advice for the size that was typed, once it is one", async () => {
  const sizes: Record<string, (string | null)[]> = { methods: [], recommended: [] };
  const asked = (request: Request) => {
    const { pathname, searchParams } = new URL(request.url);
    sizes[pathname.split("/").at(-1) ?? ""]?.push(searchParams.get("model_size_gb"));
  };
  fakeServer({
    "GET /gguf/methods": (request) => {
      asked(request);
      return json({ methods: [], model_size_gb: 14, total: 0 });
    },
    "GET /gguf/methods/recommended": (request) => {
      asked(request);
      return json({
        method: "Q8_0",
        reason: "",
        alternatives: [],
        memory_considered: false,
        model_size_gb: 14,
        estimated_size_gb: 7,
        available_memory_gb: null,
        fits_in_memory: null,
      });
    },
  });
  renderPart(<MethodsCard />);
  const field = screen.getByLabelText("Size of the model at 16 bits, in GB");
  expect(field).toHaveValue(14);
  await userEvent.clear(field);
  expect(field).toHaveValue(null);
  await userEvent.type(field, "0.5");
  await waitFor(() => expect(sizes).toEqual({ methods: ["14", "0.5"], recommended: ["14", "0.5"] }));
  expect(screen.getByText(/Recommended: Q8_0/)).toBeVisible();
});
