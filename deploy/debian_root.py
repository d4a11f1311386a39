"""The Debian root that stands in for a python:*-slim base image, and its way to packages."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.dockerfile import ReplayError
from deploy.image import Image, in_root, put, run, say

DEBIAN_WITH = {"3.11": "bookworm", "3.13": "trixie"}
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
NETWORK_VARIABLES = re.compile(r"PIP_.*|.*_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE", re.IGNORECASE)
NETWORK_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")


def base_root(base: str, mirror: str | None, *, fresh: bool) -> Path:
    """Return a Debian root that stands in for a python:*-slim image. It is made once and kept in the user's cache.

    Raises:
        ReplayError: no Debian has the Python of that image.
    """
    found = re.fullmatch(r"python:(\d+\.\d+)-slim", base)
    if found is None or found[1] not in DEBIAN_WITH:
        raise ReplayError(
            f"no Debian is known to stand in for {base}; known are python:{{{','.join(DEBIAN_WITH)}}}-slim"
        )
    suite = DEBIAN_WITH[found[1]]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "janitor-image"
    root = cache / suite
    if fresh:
        shutil.rmtree(root, ignore_errors=True)
    if not root.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{suite}-", dir=cache))
        try:
            make_base(partial, suite, mirror or apt_mirror())
            partial.rename(root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return root


def make_base(root: Path, suite: str, mirror: str) -> None:
    """Fill an empty folder with a Debian; its python3 and pip have the names and behaviour of the base image's."""
    say(f"debootstrap {suite}")
    run(["debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", suite, str(root), mirror])
    root.chmod(0o755)
    # The base image has its Python in /usr/local. Debian's own pip must not touch the packages of Debian.
    run(in_root(Image(root), ["/usr/bin/python3", "-m", "venv", "/usr/local"], {}))


def apt_mirror() -> str:
    """Return the address from which this machine's apt gets Debian.

    Raises:
        ReplayError: apt has no such address.
    """
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    for address in done.stdout.split():
        if "security" not in address:
            return address
    raise ReplayError("apt on this machine has no source for Debian; give one with --mirror URL")


def lend_network(root: Path) -> dict[str, str]:
    """Let a root get packages as this machine does; return the variables that its commands need for that."""
    lent = {name: value for name, value in os.environ.items() if NETWORK_VARIABLES.fullmatch(name)}
    home = Path.home()
    settings = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    names = [*NETWORK_FILES, *map(str, settings), *lent.values()]
    for file in (Path(name) for name in names if name.startswith("/")):
        if file.is_file():
            inside = Path("/root") / file.relative_to(home) if file.is_relative_to(home) else file
            put(file.resolve(), root / inside.relative_to("/"))
    return lent
