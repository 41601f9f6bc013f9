import { describe, expect, it } from "vitest";
import { en } from "./en";
import { createTranslator, findMessage } from "./index";
import { ko } from "./ko";

function flatten(node: object, path = ""): [string, string][] {
  return Object.entries(node).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[`${path}${key}`, value]] : flatten(value as object, `${path}${key}.`),
  );
}

const placeholders = (text: string) => new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name));

describe("the languages", () => {
  const korean = new Map(flatten(ko));

  it.each(flatten(en))("%s exists in Korean with the same values", (key, text) => {
    const translated = korean.get(key);
    expect(translated).toBeTruthy();
    expect(placeholders(translated ?? "")).toEqual(placeholders(text));
  });

  it("has Korean that is Korean", () => {
    const sameInBoth = new Set([
      "chat.topP",
      "registry.checksum",
      "models.uses.lora",
      "models.uses.qlora",
      "chat.exports.markdown",
      "chat.exports.json",
      "chat.exports.messages",
      "registry.checksum",
      "runs.weights",
    ]);
    const untranslated = flatten(ko).filter(([key, text]) => !/[가-힣]/.test(text) && !sameInBoth.has(key));
    expect(untranslated).toEqual([]);
  });

  it("fills in values, groups digits and chooses words by number", () => {
    const t = createTranslator("en");
    expect(t("data.rowCount", { count: 1 })).toBe("1 row");
    expect(t("data.rowCount", { count: 12345 })).toBe("12,345 rows");
    expect(createTranslator("ko")("data.rowCount", { count: 12345 })).toBe("12,345행");
  });

  it("knows nothing about words that it has not", () => {
    expect(findMessage("ko", "states.no-such-state")).toBeUndefined();
  });
});
