// The first load of the page, gzipped: the entry and everything that it imports at once. Over the limit the build fails.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 250;
const folder = new URL("../../src/tunesmith/bundle/ui/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", folder), "utf8"));

const seen = new Set();
const visit = (key) => {
  if (seen.has(key)) return;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) visit(next);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);

let bytes = 0;
for (const key of seen) bytes += gzipSync(readFileSync(new URL(manifest[key].file, folder))).length;
const kilobytes = bytes / 1000;
process.stdout.write(`First load: ${kilobytes.toFixed(1)} kB of JavaScript, gzipped (limit ${LIMIT_KB})\n`);
if (kilobytes > LIMIT_KB) process.exit(1);
