import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const MOST_LINES = 250;
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const imports = files.flatMap(({ path, text }) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, target = ""]) => ({
    path,
    target: target.startsWith(".") ? relative(root, join(root, path, "..", target)) : target.replace(/^@\//, ""),
  })),
);
const layerOf = (path: string) => path.split("/")[0] ?? "";

describe("the house of the front end", () => {
  it("has features that know each other by their queries only", () => {
    const crossing = imports.filter(({ path, target }) => {
      const [, from] = /^features\/([^/]+)\//.exec(path) ?? [];
      const [, to, file] = /^features\/([^/]+)\/(.+)$/.exec(target) ?? [];
      return from && to && from !== to && file !== "queries";
    });
    expect(crossing).toEqual([]);
  });

  it("has arrows that only point down: routes, features, components, hooks, api, lib", () => {
    const allowed: Record<string, string[]> = {
      features: ["features", "components", "hooks", "api", "lib", "i18n"],
      components: ["components", "hooks", "api", "lib", "i18n"],
      hooks: ["hooks", "api", "lib", "i18n"],
      api: ["api", "lib"],
      i18n: ["i18n", "lib"],
      lib: ["lib"],
    };
    const wrong = imports.filter(({ path, target }) => {
      const below = allowed[layerOf(path)];
      const isOurs = ["routes", ...Object.keys(allowed)].includes(layerOf(target));
      return below && isOurs && !path.includes(".test.") && !below.includes(layerOf(target));
    });
    expect(wrong).toEqual([]);
  });

  it("asks the server in api/ only", () => {
    const asking = files.filter(({ path, text }) => {
      const isAllowed = /^(api|test)\//.test(path) || path.includes(".test.");
      return !isAllowed && /\b(fetch\(|new (XMLHttpRequest|EventSource|WebSocket)\b)/.test(text);
    });
    expect(asking.map((file) => file.path)).toEqual([]);
  });

  it("has components that fit on a screen or three", () => {
    const long = files.filter(({ path, text }) => path.endsWith(".tsx") && text.split("\n").length > MOST_LINES);
    expect(long.map((file) => file.path)).toEqual([]);
  });

  it("uses colours by their meaning only", () => {
    const palette = /\b(bg|text|border|ring)-(gray|zinc|slate|neutral|stone|white|black|teal|sky|emerald)(-\d+)?\b/;
    expect(
      files.filter(({ path, text }) => path.endsWith(".tsx") && palette.test(text)).map((file) => file.path),
    ).toEqual([]);
  });
});
