import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type JsonSchema, leaves, readFields, type SchemaField } from "@/lib/schema-fields";
import { recipeKo } from "./recipe-ko";
import { recipeWords } from "./recipe-words";

const document = JSON.parse(readFileSync("openapi.json", "utf8")) as {
  components: { schemas: Record<string, JsonSchema> };
};
const schemas = document.components.schemas;
const fields = readFields({ ...(schemas.Recipe ?? schemas["Recipe-Input"]), $defs: schemas });

function allPaths(nodes: SchemaField[], prefix = ""): string[] {
  return nodes.flatMap((field) => {
    const path = prefix + field.path.join(".");
    if (field.kind === "section") return [path, ...allPaths(field.fields)];
    if (field.kind === "items") return [path, ...allPaths(field.item, `${path}.`)];
    return [path];
  });
}

describe("the recipe in Korean", () => {
  it("has a form with fields of every kind", () => {
    expect(leaves(fields).length).toBeGreaterThan(30);
  });

  it.each(allPaths(fields))("%s has a Korean name and description", (path) => {
    expect(recipeKo[path]).toBeDefined();
  });

  it("has no words for fields that do not exist", () => {
    const paths = new Set(allPaths(fields));
    expect(Object.keys(recipeKo).filter((path) => !paths.has(path))).toEqual([]);
  });

  it("shows the schema's own words in English, without the backticks of the reference", () => {
    const field = leaves(fields).find((one) => one.path.join(".") === "training.epochs");
    if (!field) throw new Error("the recipe has no epochs");
    expect(recipeWords("en", "training.epochs", field).title).toBe("Epochs");
    expect(recipeWords("en", "training.epochs", field).description).not.toContain("`");
  });
});
