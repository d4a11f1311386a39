"""A daemon with one job, that fails while a file is there: `python -m tests.notices.small_house VERB`."""

import os
import sys
from pathlib import Path

from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings


def copy(broken: Path) -> dict[str, int]:
    """Fail while the file is there."""
    if broken.exists():
        raise OSError("the disk is full")
    return {"rows": 3}


def build(settings: Settings) -> Scheduler:
    """Make the only job: it is due five times a second."""
    scheduler = Scheduler(settings)
    scheduler.add_job(copy, "interval", seconds=0.2, args=[Path(os.environ["BROKEN"])])
    return scheduler


if __name__ == "__main__":
    sys.exit(cli.main(build))
