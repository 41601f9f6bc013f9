import { describe, expect, it } from "vitest";
import { type Entry, matching } from "./entries";

const entry = (id: string, title: string, words?: string): Entry => ({
  id,
  group: "g",
  title,
  ...(words && { words }),
  run: () => {},
});

describe("the command palette", () => {
  it("shows all until something is typed, then what has every word", () => {
    const entries = [entry("a", "학습 시작하기", "/train"), entry("b", "Theme: dark"), entry("c", "Theme: light")];
    expect(matching(entries, " ")).toHaveLength(3);
    expect(matching(entries, "DARK theme").map((one) => one.id)).toEqual(["b"]);
    expect(matching(entries, "train").map((one) => one.id)).toEqual(["a"]);
    expect(matching(entries, "\u1112\u1161\u11a8\u1109\u1173\u11b8").map((one) => one.id)).toEqual(["a"]);
  });
});
