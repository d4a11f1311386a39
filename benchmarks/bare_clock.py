"""The rival of Janitor's clock: APScheduler alone. Run as a module, it prints when its first job began."""

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone

from apscheduler.executors.base import run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler


def nothing() -> None:
    """Do nothing."""


def bare_run() -> Callable[[], object]:
    """Return a call that executes a job once, as APScheduler does."""
    scheduler = BackgroundScheduler(timezone=timezone.utc)
    scheduler.start(paused=True)
    job = scheduler.add_job(nothing, "interval", hours=1)
    now = datetime.now(timezone.utc)
    return lambda: run_job(job, "default", [now], "benchmarks")


def main() -> None:
    """Run a clock with one job that begins at once: it prints the moment, in seconds since 1970."""
    scheduler = BlockingScheduler(timezone=timezone.utc)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    first = {"next_run_time": datetime.now(timezone.utc), "misfire_grace_time": None}
    scheduler.add_job(lambda: print(time.time(), flush=True), "interval", minutes=5, **first)
    scheduler.start()


if __name__ == "__main__":
    main()
