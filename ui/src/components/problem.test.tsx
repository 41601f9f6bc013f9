import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError, toApiError } from "@/api/errors";
import { renderPart } from "@/test/render-app";
import { ProblemNotice } from "./problem";

const RED = new ApiError({
  type: "dataset-red",
  code: "dataset-red",
  title: "The dataset has rows that cannot be trained on",
  status: 409,
  detail: "Rows 17 and 44 are red.",
  hint: "Mend the rows.",
  instance: "req-7",
  errors: [{ location: "data.train", message: "row 17 has no answer" }],
});

describe("an error", () => {
  it("says what, why, what to do and where, in the server's words", () => {
    renderPart(<ProblemNotice error={RED} />);
    const alert = screen.getByRole("alert");
    for (const text of ["cannot be trained on", "Rows 17 and 44", "Mend the rows.", "data.train", "req-7"]) {
      expect(alert).toHaveTextContent(text);
    }
  });

  it("is translated by its code, with the server's own words beside it", () => {
    renderPart(<ProblemNotice error={RED} />, "ko");
    const alert = screen.getByRole("alert");
    expect(alert).toHaveTextContent("학습할 수 없는 행이 있는 데이터셋입니다");
    expect(alert).toHaveTextContent("Rows 17 and 44 are red.");
    expect(alert).toHaveTextContent("Mend the rows.");
  });

  it("whose code nobody knows is shown as it came", () => {
    const odd = toApiError(418, { type: "teapot", title: "I am a teapot", status: 418, detail: "Short and stout." });
    renderPart(<ProblemNotice error={odd} />, "ko");
    expect(screen.getByRole("alert")).toHaveTextContent("I am a teapot");
  });

  it("of a server that is away says how to start it, and can be tried again", async () => {
    const retry = vi.fn();
    renderPart(<ProblemNotice error={new TypeError("Failed to fetch")} onRetry={retry} />);
    expect(screen.getByRole("alert")).toHaveTextContent("tunesmith serve");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
  });
});
