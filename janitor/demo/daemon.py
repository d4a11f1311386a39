"""The daemon of the demo: `run.py` as a process of its own."""

import importlib.util
import subprocess
import sys
from typing import IO, TypeAlias

from janitor.demo.place import Place

STOP_SECONDS = 40

Daemon: TypeAlias = "subprocess.Popen[bytes]"


def start(place: Place, lock: IO[str]) -> Daemon:
    """Start the daemon in the demo's folder, and write its process number into the lock.

    Raises:
        SystemExit: there is no `run.py`.
    """
    front_door = importlib.util.find_spec("run")
    if front_door is None or front_door.origin is None:
        raise SystemExit("run.py is not there: start the demo from the checkout, as ./demo.sh does")
    with place.log.open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, front_door.origin],
            # In the demo's folder it reads no .env.
            cwd=place.folder,
            env=place.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # In a session of its own it gets no Ctrl-C from the terminal.
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
    lock.truncate(0)
    lock.write(str(daemon.pid))
    lock.flush()
    return daemon


def stop(daemon: Daemon) -> None:
    """Stop the daemon with SIGTERM; kill it if it takes too long, or on Ctrl-C."""
    daemon.terminate()
    try:
        daemon.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        daemon.kill()
        daemon.wait()
