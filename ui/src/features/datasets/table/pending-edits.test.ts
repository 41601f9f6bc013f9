import { describe, expect, it } from "vitest";
import { countOf, edited, isChanged, NOTHING, toPatch, withCell, withoutRow, withRowDeleted } from "./pending-edits";

const cell = (row: number, pointer: string, value: unknown, before: unknown = "old") => ({
  row,
  pointer,
  value,
  before,
});

describe("changes that are not saved yet", () => {
  it("keeps the last value of a cell and forgets what was put back", () => {
    let edits = withCell(NOTHING, cell(3, "/output", "new"));
    edits = withCell(edits, cell(3, "/output", "newer", "new"));
    expect(toPatch(edits)).toEqual({ set: [{ row: 3, pointer: "/output", value: "newer" }], delete: [] });
    expect(withCell(edits, cell(3, "/output", "old", "newer"))).toEqual(NOTHING);
  });

  it("joins a change inside a changed value, and a change around it wins", () => {
    const turns = [{ role: "user", content: "안녕" }];
    let edits = withCell(NOTHING, cell(1, "/messages", turns, []));
    edits = withCell(edits, cell(1, "/messages/0/content", "안녕하세요", "안녕"));
    expect(edits.cells).toEqual([cell(1, "/messages", [{ role: "user", content: "안녕하세요" }], [])]);
    edits = withCell(withCell(NOTHING, cell(1, "/messages/0/content", "a", "b")), cell(1, "/messages", [], turns));
    expect(edits.cells).toHaveLength(1);
  });

  it("shows the row as it will be and leaves the loaded one alone", () => {
    const data = { messages: [{ role: "user", content: "언제?" }], "a/b": 1 };
    let edits = withCell(NOTHING, cell(7, "/messages/0/content", "언제요?", "언제?"));
    edits = withCell(edits, cell(7, "/a~1b", 2, 1));
    expect(edited(data, 7, edits)).toEqual({ messages: [{ role: "user", content: "언제요?" }], "a/b": 2 });
    expect(data).toEqual({ messages: [{ role: "user", content: "언제?" }], "a/b": 1 });
    expect(edited(data, 8, edits)).toBe(data);
    expect(isChanged(edits, 7, "/messages")).toBe(true);
    expect(isChanged(edits, 8, "/messages")).toBe(false);
  });

  it("counts and sends a row that is left out once, without what was changed in it", () => {
    let edits = withCell(withCell(NOTHING, cell(2, "/output", "x")), cell(9, "/output", "y"));
    edits = withRowDeleted(withRowDeleted(edits, 9, true), 4, true);
    expect(countOf(edits)).toBe(3);
    expect(toPatch(edits)).toEqual({ set: [{ row: 2, pointer: "/output", value: "x" }], delete: [4, 9] });
    expect(countOf(withRowDeleted(edits, 9, false))).toBe(3);
    expect(toPatch(withoutRow(withoutRow(edits, 9), 4)).delete).toEqual([]);
  });
});
