import { describe, expect, it } from "vitest";
import { toConversation } from "../conversation";
import { forFormat, mapped, missingFields } from "./fields";

describe("the mapping of columns", () => {
  it("says which fields are still missing", () => {
    expect(missingFields(["질문", "답변"], {}, "qa")).toEqual(["question", "answer"]);
    expect(missingFields(["질문", "답변"], { 질문: "question" }, "qa")).toEqual(["answer"]);
    expect(missingFields(["question", "답변"], { 답변: "answer" }, "qa")).toEqual([]);
  });

  it("lets go of what the new format does not have", () => {
    expect(forFormat({ 질문: "question", 지시: "system" }, "alpaca")).toEqual({ 지시: "system" });
  });

  it("shows a row as it will be read", () => {
    const row = { 제목: "배편", 내용: "언제 떠나나요?", 답: "아홉 시요.", 번호: 7 };
    const mapping = { 제목: "question", 내용: "question", 답: "answer" };
    expect(mapped(row, mapping)).toEqual({ question: "배편\n\n언제 떠나나요?", answer: "아홉 시요.", 번호: 7 });
    expect(toConversation(mapped(row, mapping))?.map((turn) => turn.role)).toEqual(["user", "assistant"]);
  });
});

describe("a row read as a conversation", () => {
  it.each([
    [
      {
        conversations: [
          { from: "human", value: "a" },
          { from: "gpt", value: "b" },
        ],
      },
      ["user", "assistant"],
    ],
    [{ prompt: "a", completion: "b", label: true, system: "s" }, ["system", "user", "assistant"]],
    [{ prompt: [{ role: "user", content: "a" }], chosen: "b", rejected: "c" }, ["user", "chosen", "rejected"]],
    [{ question: "a", answer: "b", context: "c" }, ["user", "assistant"]],
    [{ text: "a" }, ["text"]],
  ])("%j", (row, roles) => {
    expect(toConversation(row)?.map((turn) => turn.role)).toEqual(roles);
  });

  it("does not guess", () => {
    expect(toConversation({ colour: "red" })).toBeNull();
    expect(toConversation({ messages: [{ content: "who?" }] })).toBeNull();
    expect(toConversation("text")).toBeNull();
  });
});
