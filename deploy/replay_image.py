"""Replay the Dockerfile without a Docker engine, and try what it builds as the image's user.

    dockerfile.py   reads the Dockerfile and .dockerignore
    debian_root.py  a Debian (debootstrap) with the same python3 stands in for the python:*-slim base
    replay.py       carries out the instructions by chroot; each stage has a root of its own (image.py)
    trial.py        sees that process 1 is an init;
                    starts the daemon as a container would: PID 1, its user, its environment, embedded parts;
                    asks its HEALTHCHECK until it passes; SIGTERM must end it with exit code 0;
                    does the same as a user without a name, in group 0

An unknown instruction stops the replay: nothing is passed over in silence. It needs root, debootstrap and unshare.
Packages come from where this machine's pip and apt get them. From the checkout:

    sudo python3 -m deploy.replay_image [--context DIR] [--mirror URL] [--fresh] [--keep]
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.debian_root import base_root
from deploy.dockerfile import ReplayError, parse
from deploy.image import say
from deploy.replay import Replay
from deploy.trial import try_anybody, try_daemon, try_files, try_init

ROOT = Path(__file__).resolve().parent.parent


def lacking() -> Iterator[str]:
    """Name what this machine lacks for a replay."""
    if os.geteuid() != 0:
        yield "root's rights"
    for program, package in {"debootstrap": "debootstrap", "unshare": "util-linux", "nsenter": "util-linux"}.items():
        if shutil.which(program) is None:
            yield f"{program} (on Debian: apt-get install {package})"


def main() -> int:
    """Replay and try. Return 0, 1 if something did not hold, or 2 if this machine cannot replay at all."""
    options = _options()
    if missing := list(lacking()):
        print(f"replay_image.py: needs {' and '.join(missing)}", file=sys.stderr)
        return 2
    work = Path(tempfile.mkdtemp(prefix="janitor-image-", dir="/var/tmp"))
    try:
        stages = parse((options.context / "Dockerfile").read_text())
        base = base_root(stages[-1].base, options.mirror, fresh=options.fresh)
        image = Replay(options.context.resolve(), base, work).build(stages)
        try_files(image, options.context)
        try_init(image)
        try_daemon(image)
        try_anybody(image)
    except ReplayError as exc:
        print(f"replay_image.py: {exc}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            say(f"left in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Replay the Dockerfile without a Docker engine.")
    parser.add_argument(
        "--context", type=Path, default=ROOT, help="the folder with the Dockerfile (default: this checkout)"
    )
    parser.add_argument("--mirror", help="where to get Debian (default: where this machine's apt gets it)")
    parser.add_argument(
        "--fresh", action="store_true", help="make the Debian root anew, and not take the one in the cache"
    )
    parser.add_argument("--keep", action="store_true", help="leave the roots behind, and say where")
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
