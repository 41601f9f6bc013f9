#!/bin/sh
# Installs the web interface's pinned packages; instant when the lock file has not changed.
set -eu

. tools/only_one.sh
only_one build/installing-ui

key=$(cksum <ui/package-lock.json)
stamp=ui/node_modules/.installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
  exit 0
fi
echo "Installing the packages of the web interface"
(cd ui && npm ci --no-audit --no-fund --loglevel=error)
echo "$key" >"$stamp"
