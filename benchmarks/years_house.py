"""Many jobs that have run for months: `python -m benchmarks.years_house VERB`, with JOBS; with TICKS one ticks."""

import os
import sys

from benchmarks.long_history import job_names
from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings

RHYTHM_SECONDS = 5_400
TICKS = "ticks"
"""A job of each second, which tells how late a run begins."""


def nothing() -> None:
    """Do nothing."""


def build(settings: Settings) -> Scheduler:
    """The clock with the jobs of such a history."""
    scheduler = Scheduler(settings)
    for name in job_names(int(os.environ["JOBS"])):
        scheduler.add_job(nothing, "interval", seconds=RHYTHM_SECONDS, id=name)
    if "TICKS" in os.environ:
        scheduler.add_job(nothing, "interval", seconds=1, id=TICKS)
    return scheduler


if __name__ == "__main__":
    sys.exit(cli.main(build))
