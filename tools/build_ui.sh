#!/bin/sh
# Builds the web interface into src/tunesmith/bundle/ui. With --if-node, a machine without Node is no error
# (the API then says at /app/ how to get the interface), except in CI.
set -eu

if ! command -v npm >/dev/null 2>&1; then
  echo "Node 20 or newer is needed to build the web interface: https://nodejs.org" >&2
  if [ "${1:-}" = --if-node ] && [ "${CI:-}" != true ]; then
    exit 0
  fi
  exit 1
fi
if [ ! -f ui/package.json ]; then
  echo "There is no ui/package.json here; run this from the root of the repository." >&2
  exit 1
fi

. tools/only_one.sh
only_one build/building-ui
sh tools/install_ui.sh
key=$(find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/test-results/*' -print | LC_ALL=C sort | xargs cat | cksum)
stamp=src/tunesmith/bundle/ui/.built
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
  exit 0
fi
echo "Building the web interface"
(cd ui && npm run --silent build)
echo "$key" >"$stamp"
