import { describe, expect, it } from "vitest";
import { type JsonSchema, leaves, readFields } from "./schema-fields";

const SCHEMA: JsonSchema = {
  $defs: {
    Lora: {
      properties: {
        r: { type: "integer", minimum: 1, maximum: 1024, default: 16, title: "Rank" },
        modules: {
          anyOf: [
            { enum: ["auto", "all-linear"], type: "string" },
            { type: "array", items: { type: "string" } },
          ],
          default: "all-linear",
        },
      },
    },
    Kind: { enum: ["a", "b"], type: "string" },
    Item: { properties: { kind: { $ref: "#/$defs/Kind" } }, required: ["kind"] },
  },
  properties: {
    version: { const: 1, default: 1 },
    rate: { type: "number", exclusiveMinimum: 0, maximum: 1, title: "Rate", description: "How fast." },
    lora: { $ref: "#/$defs/Lora", description: "Beside the reference." },
    split: { anyOf: [{ $ref: "#/$defs/Lora" }, { type: "null" }], default: null },
    limit: { anyOf: [{ type: "number" }, { type: "null" }], default: null, title: "Limit" },
    packing: { type: "boolean", default: true },
    outputs: { type: "array", items: { $ref: "#/$defs/Item" } },
  },
  required: ["rate"],
};

describe("a form read from a schema", () => {
  const fields = readFields(SCHEMA);
  const at = (path: string) => leaves(fields).find((field) => field.path.join(".") === path);

  it("leaves out what cannot be chosen", () => {
    expect(at("version")).toBeUndefined();
  });

  it("knows numbers, their bounds, and whether they are needed", () => {
    expect(at("rate")).toMatchObject({
      kind: "number",
      integer: false,
      minimum: 0,
      open: true,
      maximum: 1,
      required: true,
    });
    expect(at("limit")).toMatchObject({ kind: "number", nullable: true, title: "Limit" });
  });

  it("follows references and keeps what stands beside them", () => {
    expect(fields.find((field) => field.path[0] === "lora")).toMatchObject({
      kind: "section",
      description: "Beside the reference.",
    });
    expect(at("lora.r")).toMatchObject({ kind: "number", integer: true, default: 16, title: "Rank" });
  });

  it("opens a section that may be left out", () => {
    expect(at("split.r")).toMatchObject({ kind: "number" });
  });

  it("reads words or a list of names as one field, and a list of objects as items", () => {
    expect(at("lora.modules")).toMatchObject({ kind: "words", words: ["auto", "all-linear"] });
    expect(at("outputs")).toMatchObject({
      kind: "items",
      item: [{ kind: "choice", options: ["a", "b"], required: true }],
    });
    expect(at("packing")).toMatchObject({ kind: "boolean", default: true });
  });
});
