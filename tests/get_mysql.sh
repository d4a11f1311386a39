#!/usr/bin/env bash
# Gets a current MySQL server, which Debian 12 does not have, in a Debian root of its own: tests/get_mysql.sh FOLDER
# Needs root and debootstrap, takes about a minute, and does nothing where the folder has it already.
set -euo pipefail
root=${1:?usage: tests/get_mysql.sh FOLDER}
if [ -x "$root/usr/sbin/mysqld" ]; then exit 0; fi

no() {
    echo "no MySQL server: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || no "only root can make a Debian root"
command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -qq -y debootstrap >/dev/null \
    || no "apt-get could not install debootstrap"
# Debian comes from where this machine's apt gets it.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
[ -n "$mirror" ] || no "apt on this machine has no source for Debian"
mkdir -p "$(dirname "$root")"
rm -rf "$root.partial"
debootstrap --variant=minbase sid "$root.partial" "$mirror" >"$root.log" 2>&1 || no "debootstrap failed, see $root.log"
chroot "$root.partial" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends mysql-server-core >>"$root.log" 2>&1 \
    || no "mysql-server-core could not be installed, see $root.log"
mkdir -p "$root.partial/var/lib/mysql-files"
mv "$root.partial" "$root"
