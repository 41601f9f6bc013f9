#!/bin/sh
# The programs that the tests start on free ports. Installs what is missing where it can (Debian, as root);
# elsewhere it names what to install, and in CI (CI=true) a missing program is an error.
set -eu

have_postgresql() {
  command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}
have_chromium() {
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] || [ -x /Applications/Chromium.app/Contents/MacOS/Chromium ]
}
have_korean_font() {
  [ "$(uname)" = Darwin ] || [ -n "$(find /usr/share/fonts -name 'NotoSansCJK*' 2>/dev/null)" ]
}

missing=
have_postgresql || missing="$missing postgresql"
have_chromium || missing="$missing chromium"
have_korean_font || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing for the tests:$missing"
  log=$(mktemp)
  # shellcheck disable=SC2086
  if { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; }; } >"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 20 "$log" >&2
fi

echo "The tests need programs that are not here:$missing" >&2
echo "  Debian, Ubuntu: sudo apt-get install -y --no-install-recommends$missing" >&2
echo "  macOS:          brew install postgresql@16 && brew install --cask chromium" >&2
[ "${CI:-}" != true ] || exit 1
