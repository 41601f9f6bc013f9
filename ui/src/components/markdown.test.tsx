import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderPart } from "@/test/render-app";
import Markdown from "./markdown";

it("puts the headings of a text below those of the page and the card around it", () => {
  renderPart(<Markdown text={"# Card\n\n## Use\n\n##### Small"} />);
  expect(screen.getByRole("heading", { level: 3 })).toHaveTextContent("Card");
  expect(screen.getByRole("heading", { level: 4 })).toHaveTextContent("Use");
  expect(screen.getByRole("heading", { level: 6 })).toHaveTextContent("Small");
});
