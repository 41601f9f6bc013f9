import { describe, expect, it } from "vitest";
import { fieldsThatDiffer } from "./differences";

describe("what differs between two rows", () => {
  it("names the innermost places", () => {
    const before = {
      messages: [
        { role: "user", content: "안녕" },
        { role: "assistant", content: "네" },
      ],
      id: 1,
    };
    const after = {
      messages: [
        { role: "user", content: "안녕하세요" },
        { role: "assistant", content: "네" },
      ],
      id: "1",
    };
    expect(fieldsThatDiffer(before, after)).toEqual([
      { pointer: "/messages/0/content", before: "안녕", after: "안녕하세요" },
      { pointer: "/id", before: "1", after: "1" },
    ]);
  });

  it("shows a whole row that only one of them has, and a field that came or went", () => {
    expect(fieldsThatDiffer(null, { a: 1 })).toEqual([{ pointer: "", before: null, after: '{\n  "a": 1\n}' }]);
    expect(fieldsThatDiffer({ a: 1, b: "x" }, { a: 1 })).toEqual([{ pointer: "/b", before: "x", after: null }]);
    expect(fieldsThatDiffer({ a: 1 }, { a: 1 })).toEqual([]);
  });

  it("takes lists of another length as a whole", () => {
    const [difference] = fieldsThatDiffer({ "a/b": [1] }, { "a/b": [1, 2] });
    expect(difference?.pointer).toBe("/a~1b");
  });
});
