"""Locks the dependencies of the Pipfile; the lock names no package registry.

pipenv writes into Pipfile.lock which index it used. Every site has an index of its own, so the lock names no index:
versions and hashes are enough for an installation. Run it after each change of the Pipfile, or to take newer
versions:

    python3 deploy/lock.py [PIPENV]
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "Pipfile.lock"


BEFORE_4 = re.compile(r" and python_(full_)?version < '4[.0]*'")
"""What some packages say of a Python that is not there: it would read as if the lock pinned one."""


def strip(lock: dict[str, Any]) -> dict[str, Any]:
    """Return the lock without its sources and without each package's `index`; hashes stay, and so do markers.

    Of markers, the bound to Pythons before 4 is left out.
    """
    meta = {**lock["_meta"], "sources": []}
    sections = {name: packages for name, packages in lock.items() if name != "_meta"}
    return {"_meta": meta} | {
        section: {
            name: {key: _plain(value) for key, value in package.items() if key != "index"}
            for name, package in packages.items()
        }
        for section, packages in sections.items()
    }


def _plain(value: Any) -> Any:
    return BEFORE_4.sub("", value) if isinstance(value, str) else value


def main(pipenv: str = "pipenv") -> int:
    """Resolve the Pipfile with this pipenv, and strip Pipfile.lock; return pipenv's exit code."""
    done = subprocess.run([pipenv, "lock"], cwd=ROOT, check=False)
    if done.returncode == 0:
        LOCK.write_text(json.dumps(strip(json.loads(LOCK.read_text())), indent=4) + "\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
