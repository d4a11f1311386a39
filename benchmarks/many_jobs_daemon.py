"""A daemon with many small jobs: `python -m benchmarks.many_jobs_daemon CLOCK JOBS AT FOLDER`.

CLOCK is `janitor` or `bare` (APScheduler alone). All jobs are due at AT, seconds since 1970, and every ten minutes
after that. If AT is 0, each job is due once a minute, spread over the seconds. On SIGTERM the daemon writes into
FOLDER/began when each run began.
"""

import json
import os
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from apscheduler.schedulers.blocking import BlockingScheduler

from janitor.engine.runner import Runner
from janitor.logs import set_up
from janitor.logs.mask import mask_for
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, holders

began: list[tuple[int, float]] = []


def note(number: int) -> None:
    """Note that a run has begun."""
    began.append((number, time.time()))


def add_jobs(scheduler: Any, jobs: int, at: float) -> None:
    """Add the jobs to either clock."""
    for number in range(jobs):
        when: dict[str, Any] = {"trigger": "cron", "second": number % 60}
        if at:
            when = {"trigger": "interval", "minutes": 10, "start_date": datetime.fromtimestamp(at, timezone.utc)}
        scheduler.add_job(note, args=[number], id=f"job_{number}", **when)


def run_janitor(jobs: int, at: float) -> None:
    """Run Janitor's clock until SIGTERM."""
    settings = Settings.load(os.environ, dotenv=None)
    mask = mask_for(settings)
    run_log = set_up.set_up(settings, mask)
    state = State(settings.state_database_url)
    state.migrate()
    scheduler = Scheduler(settings)
    add_jobs(scheduler, jobs, at)
    scheduler.daemon(Runner(state, settings, holders.new_holder(), mask, run_log)).run()


def run_bare(jobs: int, at: float) -> None:
    """Run APScheduler's clock until SIGTERM."""
    scheduler = BlockingScheduler(timezone=timezone.utc)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    add_jobs(scheduler, jobs, at)
    scheduler.start()


def main(clock: str, jobs: str, at: str, folder: str) -> None:
    """Run it to its end."""
    try:
        {"janitor": run_janitor, "bare": run_bare}[clock](int(jobs), float(at))
    finally:
        Path(folder, "began").write_text(json.dumps(began), encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:5])
