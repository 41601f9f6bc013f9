# Sourced by scripts that write to one place: `only_one FOLDER` waits until no living process holds FOLDER, then holds it
# until this script ends. A folder is made by one process only, on every system; one whose owner is gone is taken over.
only_one() {
  mkdir -p "$(dirname "$1")"
  until mkdir "$1" 2>/dev/null; do
    owner=$(cat "$1/owner" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$1"
    else
      sleep 0.2
    fi
  done
  echo $$ >"$1/owner"
  only_one_held=$1
  trap 'rm -rf "$only_one_held"' EXIT
  trap 'exit 130' INT TERM
}
