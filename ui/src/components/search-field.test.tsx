import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { SearchField } from "./search-field";

describe("a search field", () => {
  it("asks once, when typing has settled, and not again for the same text", async () => {
    const onSearch = vi.fn();
    render(<SearchField label="Search" onSearch={onSearch} />);
    const field = screen.getByRole("searchbox", { name: "Search" });
    await userEvent.type(field, " boat");
    await waitFor(() => expect(onSearch.mock.calls).toEqual([["boat"]]));
    await userEvent.type(field, " ");
    await userEvent.clear(field);
    await waitFor(() => expect(onSearch.mock.calls).toEqual([["boat"], [""]]));
  });

  it("follows the address, without asking for what it left", async () => {
    const onSearch = vi.fn();
    const field = (value?: string) => <SearchField label="Search" value={value} onSearch={onSearch} />;
    const { rerender } = render(field("boat"));
    await userEvent.type(screen.getByRole("searchbox"), "s");
    rerender(field());
    expect(screen.getByRole("searchbox")).toHaveValue("");
    await userEvent.type(screen.getByRole("searchbox"), "boat");
    await waitFor(() => expect(onSearch.mock.calls).toEqual([["boat"]]));
  });
});
