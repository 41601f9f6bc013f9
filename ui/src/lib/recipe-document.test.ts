import { describe, expect, it } from "vitest";
import { lineOf, parseRecipe, withValue } from "./recipe-document";

const TEXT = `# My recipe
version: 1
name: first # the name
training:
  epochs: 3
export:
  - format: gguf
    method: Q8_0
`;

describe("the recipe's text", () => {
  it("keeps comments and order when a value changes", () => {
    expect(withValue(TEXT, ["training", "epochs"], 5)).toBe(TEXT.replace("epochs: 3", "epochs: 5"));
    expect(withValue(TEXT, ["name"], "둘째")).toContain("name: 둘째 # the name");
  });

  it("makes the sections that a value needs, and takes away those that are empty", () => {
    const deeper = withValue(TEXT, ["method", "lora", "r"], 8);
    expect(parseRecipe(deeper).value).toMatchObject({ method: { lora: { r: 8 } } });
    expect(withValue(deeper, ["method", "lora", "r"], undefined)).toBe(TEXT);
  });

  it("fills a section that was left blank", () => {
    expect(parseRecipe(withValue("data:\n", ["data", "train"], "dataset:a@1.0")).value).toEqual({
      data: { train: "dataset:a@1.0" },
    });
  });

  it("says on which line the text is no YAML", () => {
    expect(parseRecipe("name: a\ntraining: [1, 2\n").problem?.line).toBeGreaterThanOrEqual(2);
    expect(parseRecipe("- a\n- b\n").problem?.line).toBe(1);
  });

  it("does not touch text that cannot be read", () => {
    expect(withValue("a: [", ["a"], 1)).toBe("a: [");
  });

  it("finds the line of a value, or of its nearest parent", () => {
    expect(lineOf(TEXT, ["training", "epochs"])).toBe(5);
    expect(lineOf(TEXT, ["export", "0", "method"])).toBe(8);
    expect(lineOf(TEXT, ["training", "learning_rate"])).toBe(5);
    expect(lineOf(TEXT, ["nowhere"])).toBeNull();
  });
});
