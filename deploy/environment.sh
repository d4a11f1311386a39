# Makes the environment that test.sh, demo.sh and forlint.sh run in; they source this file from the checkout's root.
#
#   make_environment run    what Janitor needs to run
#   make_environment dev    that, and what tests and checks need
#
# It leaves .venv in the checkout. A pipenv of its own (.pipenv) makes it: the machine needs only CPython 3.11 or later
# with pip. If .venv already holds what Pipfile.lock says, nothing happens. PYTHON=python3.13 chooses the interpreter.

PIPENV_REQUIREMENT="pipenv==2026.10.3"

# pipenv must use this checkout's .venv, even if another environment is active. It must not read .env: Janitor does that.
export PIPENV_VENV_IN_PROJECT=1 PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_DONT_USE_PYENV=1 PIPENV_DONT_LOAD_ENV=1
export PIPENV_PIPFILE="$PWD/Pipfile" PIPENV_VERBOSITY=-1 VIRTUALENV_QUIET=1

# What Python compiles is kept for the next process and the next run; pytest alone compiles for half a minute.
unset PYTHONDONTWRITEBYTECODE

complain() {
    echo "$(basename "$0"): $*" >&2
    exit 2
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        is_recent "$PYTHON" || complain "PYTHON=$PYTHON does not start a CPython of version 3.11 or later"
        PYTHON_FOUND=$PYTHON
        return
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if is_recent "$candidate"; then
            PYTHON_FOUND=$candidate
            return
        fi
    done
    complain "no CPython of version 3.11 or later was found; install one, or name it: PYTHON=/path/to/python3 $0"
}

# What .venv must have been made from. An environment with the tests' packages also serves a run without them.
wanted_stamp() {
    "$1" - <<'PYTHON'
import hashlib
import sys

digest = hashlib.sha256(open("Pipfile.lock", "rb").read()).hexdigest()
print(digest, "%d.%d" % sys.version_info[:2])
PYTHON
}

is_made() {
    local stamp made_for
    [ -x .venv/bin/python ] && [ -f .venv/environment ] || return 1
    if [ -n "${PYTHON:-}" ]; then
        stamp=$(wanted_stamp "$PYTHON_FOUND")
    else
        stamp=$(wanted_stamp .venv/bin/python 2>/dev/null) || return 1
    fi
    made_for=$(cat .venv/environment)
    [ "$made_for" = "$stamp dev" ] || [ "$made_for" = "$stamp $1" ]
}

# Whether .venv can be brought up to date: its Python runs, and has the version that PYTHON asks for.
is_usable_venv() {
    is_recent .venv/bin/python || return 1
    [ -z "${PYTHON:-}" ] || [ "$(wanted_stamp .venv/bin/python)" = "$(wanted_stamp "$PYTHON_FOUND")" ]
}

make_pipenv() {
    if [ "$(cat .pipenv/requirement 2>/dev/null)" = "$PIPENV_REQUIREMENT" ] && .pipenv/bin/python -c "" 2>/dev/null; then
        return
    fi
    "$PYTHON_FOUND" -m pip --version >/dev/null 2>&1 || complain "$PYTHON_FOUND has no pip; install it (on Debian: apt-get install python3-pip)"
    echo "Installing pipenv into .pipenv"
    # It gets no pip of its own: Debian's python3 can make a pip only if python3-venv is installed too.
    "$PYTHON_FOUND" -m venv --clear --without-pip .pipenv
    "$PYTHON_FOUND" -m pip --python .pipenv/bin/python install --quiet --disable-pip-version-check "$PIPENV_REQUIREMENT"
    echo "$PIPENV_REQUIREMENT" >.pipenv/requirement
}

make_venv() {
    local kind=$1 options=()
    is_made "$kind" && return
    make_pipenv
    if ! is_usable_venv; then
        rm -rf .venv
        options+=(--python "$("$PYTHON_FOUND" -c 'import sys; print(sys.executable)')")
    fi
    if [ "$kind" = dev ]; then options+=(--dev); fi
    echo "Installing the packages of Pipfile.lock into .venv"
    rm -f .venv/environment
    .pipenv/bin/pipenv sync "${options[@]}"
    echo "$(wanted_stamp .venv/bin/python) $kind" >.venv/environment
}

make_environment() {
    find_python
    is_made "$1" && return
    # Two scripts started together must not install into one folder at once.
    (
        if command -v flock >/dev/null; then flock 9; fi
        make_venv "$1"
    ) 9>.environment.lock
}
