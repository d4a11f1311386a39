#!/usr/bin/env bash
# Formats the code (black, isort) and checks it (mypy --strict, flake8); with --check it changes nothing.
set -euo pipefail
cd "$(dirname "$0")"
. deploy/environment.sh

case "${1:-}" in
"") formatting=() ;;
--check) formatting=(--check --diff) ;;
*) complain "takes no argument but --check, and got: $*" ;;
esac
[ $# -le 1 ] || complain "takes no argument but --check, and got: $*"

make_environment dev

paths=()
for path in run.py janitor tests benchmarks deploy docs examples; do
    if [ -e "$path" ]; then paths+=("$path"); fi
done

failed=()
run() {
    echo "== $*"
    .venv/bin/python -m "$@" "${paths[@]}" || failed+=("$1")
}
run isort "${formatting[@]}"
run black --quiet "${formatting[@]}"
run mypy --strict
run flake8

if [ ${#failed[@]} -gt 0 ]; then
    echo "forlint.sh: failed: ${failed[*]}" >&2
    exit 1
fi
echo "forlint.sh: all clean"
