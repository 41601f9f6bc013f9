#!/bin/sh
# The TypeScript types say what ui/openapi.json says: they are generated anew and compared; the file is left as it was.
set -eu

sh tools/install_ui.sh
kept=$(mktemp)
cp ui/src/api/schema.d.ts "$kept"
(cd ui && npm run --silent types >/dev/null 2>&1)
if cmp -s "$kept" ui/src/api/schema.d.ts; then
  rm -f "$kept"
  exit 0
fi
mv "$kept" ui/src/api/schema.d.ts
echo "ui/src/api/schema.d.ts differs from ui/openapi.json"
exit 1
