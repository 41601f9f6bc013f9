#!/bin/sh
# Creates .venv and installs the pinned dependencies. A stamp with the checksums of what was installed
# makes the next call instant, and lets everything run without a network afterwards.
set -eu

key=$(cat pyproject.toml constraints.txt tools/setup.sh | cksum)
stamp=.venv/.installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key $(pwd)" ] && .venv/bin/python -c '' 2>/dev/null; then
  exit 0
fi

new_enough() {
  command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
  if new_enough "$candidate"; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "Tunesmith needs Python 3.11 or newer; 'python3' here is: $(python3 --version 2>&1 || echo missing)." >&2
  echo "Install it (Debian: apt-get install python3.11-venv; macOS: brew install python@3.12) or name it: make setup PYTHON=/path/to/python" >&2
  exit 1
fi

echo "[1/4] virtual environment: .venv ($("$python" --version))"
# A virtual environment holds absolute paths: one that was moved or copied is made anew.
if [ -f "$stamp" ] && ! grep -qF " $(pwd)" "$stamp"; then
  rm -rf .venv
fi
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  rm -rf .venv
  "$python" -m venv .venv || {
    echo "Python's venv module is missing. Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
  }
fi
rm -f "$stamp"

echo "[2/4] installer"
if [ ! -x .venv/bin/uv ]; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check uv ||
    echo "      uv could not be installed; pip does the work instead (slower)"
fi

echo "[3/4] dependencies from constraints.txt (about 2 GB the first time)"
with_uv() {
  [ -x .venv/bin/uv ] || return 1
  # uv does not read pip's configuration: pass on the folder of ready wheels where there is one.
  if [ -n "${PIP_FIND_LINKS:-}" ]; then
    UV_FIND_LINKS=${UV_FIND_LINKS:-$PIP_FIND_LINKS}
    export UV_FIND_LINKS
  fi
  .venv/bin/uv pip install --python .venv/bin/python --constraint constraints.txt --editable '.[all,dev]'
}
with_pip() {
  echo "      installing with pip"
  .venv/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
}
with_uv || with_pip

# Every command, worker and child is a process of its own, and one that finds no byte code compiles its libraries first:
# two seconds for a server, seven for torch. Written once here, also where the environment forbids it for later.
echo "[4/4] byte code"
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c 'import tunesmith.api.app, tunesmith.worker, alembic.command' &
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c 'import tunesmith.ml.guard; tunesmith.ml.guard.stay_offline(); import tunesmith.ml.trainer, tunesmith.ml.serve, tunesmith.ml.export'
wait $!
echo "$key $(pwd)" >"$stamp"
echo "Ready: .venv/bin/tunesmith"
