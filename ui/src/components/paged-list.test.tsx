import { useQuery } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { renderPart } from "@/test/render-app";
import { PagedList } from "./paged-list";

function Listed({ page, onPage }: { page: number; onPage: (page: number) => void }) {
  const query = useQuery({
    queryKey: ["listed", page],
    queryFn: () => ({ items: page > 2 ? [] : [`page ${page}`], total: 11 }),
  });
  return (
    <PagedList query={query} page={page} pageSize={10} onPage={onPage} empty={<p>Nothing</p>}>
      {(items) => <p>{items.join()}</p>}
    </PagedList>
  );
}

it("leads back from a page that has gone", async () => {
  const onPage = vi.fn();
  renderPart(<Listed page={4} onPage={onPage} />);
  expect(await screen.findByText("Nothing")).toBeVisible();
  expect(screen.getByRole("button", { name: "Next" })).toBeDisabled();
  await userEvent.click(screen.getByRole("button", { name: "Previous" }));
  expect(onPage).toHaveBeenCalledWith(2);
});
