import { describe, expect, it } from "vitest";
import type { ConversationDetail, StoredTurn } from "./queries";
import { pathOf } from "./use-conversation";

function turn(id: number, parent: number | null, role: "user" | "assistant", more: Partial<StoredTurn> = {}) {
  return { id, parent_id: parent, role, content: `${id}`, reasoning: null, status: "complete", error: null, ...more };
}

describe("the branch that is read", () => {
  const turns = [
    turn(1, null, "user"),
    turn(2, 1, "assistant"),
    turn(3, 1, "assistant", { status: "failed", error: { code: "runtime-crashed", title: "Died", status: 503 } }),
    turn(4, null, "user"),
    turn(5, 3, "user"),
  ];
  const shown = pathOf({ turns, path: [1, 3, 5] } as unknown as ConversationDetail);

  it("has the turns of the path in their order", () => {
    expect(shown.map((one) => one.content)).toEqual(["1", "3", "5"]);
  });

  it("knows the other versions of each turn, and no turn of another place", () => {
    expect(shown.map((one) => one.versions)).toEqual([[1, 4], [2, 3], [5]]);
  });

  it("says what went wrong where it did", () => {
    expect(shown.map((one) => one.problem?.code)).toEqual([undefined, "runtime-crashed", undefined]);
  });
});
