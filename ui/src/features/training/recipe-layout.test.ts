import { describe, expect, it } from "vitest";
import { isUnstarted } from "./recipe-layout";

const missing = (location: string) => ({ location, message: "is missing", reason: "missing" });

describe("an unstarted recipe", () => {
  it("is one that only lacks things, its data among them", () => {
    expect(isUnstarted([missing("name"), missing("data.train")])).toBe(true);
    expect(isUnstarted([missing("recipe.data.train")])).toBe(true);
  });

  it("is not one whose data is chosen, nor one with a mistake", () => {
    expect(isUnstarted([missing("name")])).toBe(false);
    expect(isUnstarted([])).toBe(false);
    const wrong = { location: "training.epochs", message: "has to be > 0", reason: "out-of-range", allowed: "> 0" };
    expect(isUnstarted([missing("data.train"), wrong])).toBe(false);
  });
});
