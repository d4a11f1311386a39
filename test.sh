#!/usr/bin/env bash
# Runs the whole suite against servers of its own, with coverage as XML (coverage.xml) and HTML (htmlcov/).
# Arguments go to pytest: ./test.sh tests/feeds -k lag
# ./test.sh --all runs what is marked slow too: all of the browser's tests, random changes, 100,000 runs, the benchmarks.
# It tries five times as many random inputs, and starts each verb as a process of its own.
# ./test.sh tests/web/browser --screenshots makes the pictures of the dashboard anew.
# ./test.sh --faults runs the fault suite alone, and whole, on MariaDB and on MySQL; FAULTS_SEED=7 is another seed than 1.
# JANITOR_TEST_MYSQL_URL (mysql+pymysql://root:...) and JANITOR_TEST_RABBITMQ_URL (amqp://...) name servers to use instead.
set -euo pipefail
cd "$(dirname "$0")"
. deploy/environment.sh

# Debian keeps servers in sbin, which is not on everybody's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

missing_packages() {
    if [ -z "${JANITOR_TEST_MYSQL_URL:-}" ] && ! command -v mariadbd >/dev/null; then
        echo mariadb-server
    fi
    if [ -z "${JANITOR_TEST_RABBITMQ_URL:-}" ] && ! command -v rabbitmq-server >/dev/null; then
        echo rabbitmq-server
    fi
    command -v redis-server >/dev/null || echo redis-server
    # For Node's own socket.io, which the replies to browsers are tried with.
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    if [ "$(id -u)" = 0 ]; then
        # For the documentation's pages that call it.
        command -v sqlite3 >/dev/null || echo sqlite3
        # For the tests in which the daemon's clock is set, and for those that use the dashboard as a person does.
        command -v faketime >/dev/null || echo faketime
        command -v chromium >/dev/null || command -v google-chrome >/dev/null || echo chromium
    fi
}

install_packages() (
    policy=/usr/sbin/policy-rc.d
    # The suite starts servers of its own; Debian would start one of each at once, but for a policy that forbids it.
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"
)

get_servers() {
    local missing
    missing=$(missing_packages)
    if [ -z "$missing" ]; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing for the tests:" $missing
        install_packages $missing </dev/null >/dev/null || complain "apt-get could not install" $missing
    else
        complain "the suite starts servers of its own and did not find their programs; install:" $missing \
            "(on Debian, as root: apt-get install" $missing"; elsewhere MariaDB 10.6, RabbitMQ 3.10, Redis 6 and Node 18, or later)"
    fi
}

# The whole fault suite: on MariaDB, and again on MySQL where a server can be had.
whole_faults() {
    local root=${JANITOR_TEST_MYSQL_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/janitor/mysql} reason code=0
    echo "== The fault suite on MariaDB"
    env -u JANITOR_TEST_MYSQL_ROOT .pipenv/bin/pipenv run test tests/faults --faults "$@" || code=$?
    if reason=$(tests/get_mysql.sh "$root" 2>&1); then
        echo "== The fault suite on MySQL"
        JANITOR_TEST_MYSQL_ROOT=$root .pipenv/bin/pipenv run test tests/faults --faults "$@" || code=$?
    else
        echo "== The fault suite on MySQL is skipped: $reason"
    fi
    return "$code"
}

make_environment dev
get_servers
if [ "${1:-}" = --faults ]; then
    shift
    whole_faults "$@"
else
    exec .pipenv/bin/pipenv run test "$@"
fi
