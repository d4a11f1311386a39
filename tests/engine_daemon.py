"""A daemon for the engine's tests: `python -m tests.engine_daemon`, with the jobs that JOBS names."""

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from janitor.errors import JanitorError
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import cursors

log = logging.getLogger("tests.task")


def quick() -> dict[str, int]:
    """Nothing, and that at once."""
    log.info("quick")
    return {"done": 3}


def slow() -> None:
    """Go on for two and a half seconds, with many safe points."""
    for done in range(25):
        current_run().progress(done, 25)
        time.sleep(0.1)


def endless() -> None:
    """Go on until asked to stop."""
    while True:
        current_run().progress(1)
        log.info("going on")
        time.sleep(0.1)


def deaf() -> None:
    """Go on for a long time without a safe point."""
    log.info("deaf")
    time.sleep(60)


def writer() -> None:
    """Save a cursor again and again, at no safe point."""
    run = current_run()
    while True:
        with run.state.begin(*run.fences.values()) as connection:
            cursors.save(connection, "writer", str(os.getpid()), run.started_at, run.id)
        time.sleep(0.05)


async def patient() -> None:
    """Wait for a long time, as a coroutine."""
    try:
        log.info("patient")
        await asyncio.sleep(60)
    finally:
        log.info("no longer patient")


def hostile() -> None:
    """Fail with three thousand causes."""
    error = ValueError("the first cause")
    for number in range(3_000):
        later = ValueError(f"cause {number}")
        later.__cause__ = error
        error = later
    raise error


def parent() -> None:
    """In a child process: start another one, and go on for a long time."""
    Path(os.environ["TOUCHED"], "child").write_text(str(os.getpid()), encoding="ascii")
    subprocess.run(["sleep", "60"], check=False)


JOBS: dict[str, tuple[Callable[[], object], dict[str, object]]] = {
    "quick": (quick, {"seconds": 1}),
    "slow": (slow, {"seconds": 1}),
    "endless": (endless, {"hours": 1}),
    "deaf": (deaf, {"hours": 1}),
    "writer": (writer, {"hours": 1}),
    "patient": (patient, {"hours": 1}),
    "hostile": (hostile, {"seconds": 1}),
    "parent": (parent, {"hours": 1, "isolation": "process"}),
}


def main() -> None:
    """Start the daemon and run it to its end."""
    settings = Settings.load(dotenv=None)
    scheduler = Scheduler(settings)
    for name in os.environ["JOBS"].split():
        func, options = JOBS[name]
        scheduler.add_job(func, "interval", id=name, **options)  # type: ignore[arg-type]
    try:
        scheduler.start()
    except JanitorError as exc:
        log.error("%s", exc)
        sys.exit(3)


if __name__ == "__main__":
    main()
