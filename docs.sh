#!/usr/bin/env bash
# Builds the documentation as a site, into build/docs: open build/docs/index.html.
# A dead link, a page in no contents, a public name without a docstring, a table that is not what the code says: each
# is an error. `.venv/bin/python -m docs.generate` writes such tables anew.
set -euo pipefail
cd "$(dirname "$0")"
. deploy/environment.sh
[ $# -eq 0 ] || complain "takes no argument, and got: $*"

make_environment dev

code=0
.venv/bin/python -m docs.generate --check || code=1

# From nothing each time: what is cached would not be complained of again.
rm -rf build/docs
.venv/bin/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet --fresh-env \
    -d build/doctrees -b html docs build/docs || code=1

if [ "$code" -ne 0 ]; then
    echo "docs.sh: failed: see above" >&2
    exit 1
fi
echo "docs.sh: build/docs/index.html"
