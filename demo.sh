#!/usr/bin/env bash
# Shows Janitor at work on a simulated lab, with embedded parts: no server is needed. Ends on Ctrl-C or after --seconds N.
set -euo pipefail
cd "$(dirname "$0")"
. deploy/environment.sh

make_environment run
exec .venv/bin/python -m janitor.demo "$@"
