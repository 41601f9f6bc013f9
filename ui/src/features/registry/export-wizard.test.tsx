import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { fakeServer, json, problem } from "@/test/fake-server";
import { renderPart } from "@/test/render-app";
import { ExportWizard } from "./export-wizard";

const option = (format: string, method: string | null, recommended = false) => ({
  format,
  method,
  recommended,
  size_bytes: 1_000_000,
  memory_bytes: 2_000_000,
  fits: true,
  refusal: null,
  refusal_code: null,
});

describe("the export wizard", () => {
  it("sends what the importance matrix is measured on, with formats that hold GGUF only", async () => {
    const sent: unknown[] = [];
    fakeServer({
      "GET /api/v1/admin/models/7/export-options": () =>
        json({
          options: [option("gguf", "Q3_K_M", true), option("merged", "fp32", true)],
          reason: "fits",
          free_memory_bytes: 8e9,
          free_disk_bytes: 8e9,
        }),
      "GET /api/v1/admin/training/datasets": () =>
        json({
          items: [{ id: 3, name: "harbour", version: "1.0", status: "ready" }],
          total: 1,
          page: 1,
          page_size: 200,
        }),
      "POST /api/v1/admin/exports": async (request) => {
        sent.push(await request.json());
        return problem(422, "export-failed", "No room today.");
      },
    });
    renderPart(<ExportWizard id={7} reference="guide@1.0.0" />);
    const button = await screen.findByRole("button", { name: "Export" });
    await screen.findByRole("option", { name: "harbour@1.0" });
    await userEvent.selectOptions(screen.getByLabelText("Importance matrix"), "harbour@1.0");
    const rows = screen.getByLabelText("Rows to look at");
    expect(rows).toHaveValue(256);
    await userEvent.clear(rows);
    expect(button).toBeDisabled();
    await userEvent.type(rows, "32");
    await userEvent.click(button);
    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("No room today."));
    await userEvent.selectOptions(screen.getByLabelText("Format"), "merged");
    expect(screen.queryByLabelText("Importance matrix")).toBeNull();
    await userEvent.click(button);
    await waitFor(() =>
      expect(sent).toEqual([
        {
          model: "guide@1.0.0",
          outputs: [{ format: "gguf", method: "Q3_K_M" }],
          importance: { dataset_id: 3, rows: 32 },
        },
        { model: "guide@1.0.0", outputs: [{ format: "merged", method: "fp32" }] },
      ]),
    );
  });
});
