"""The daemon on a hostile day: `python -m tests.faults.hostile_victim`, else as `python run.py`.

With FORKS it has two jobs more, whose tasks fork (forks.py). With SHARE each of its loops raises at random, so often
(`tests.loops.shaky`). Pages are small, as in victim.py.
"""

import os
import sys

import run
from janitor import cli
from janitor.loops import duty
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from tests.faults.forks import add_forks
from tests.faults.victim import make_pages_small, seam
from tests.shaky_house import ShakyScheduler


def build(settings: Settings) -> Scheduler:
    """Make the lab's clock, and what is hostile beside it."""
    scheduler = run.build(settings)
    if "FORKS" in os.environ:
        add_forks(scheduler)
    return scheduler


def main() -> None:
    """Let loops raise if that is wanted, then run the daemon."""
    make_pages_small()
    if "SHARE" in os.environ:
        seam(run, "Scheduler", ShakyScheduler)
        # So that a test need not wait for pauses made for days.
        duty.FIRST_PAUSE_SECONDS = duty.LONGEST_PAUSE_SECONDS = 0.05
    sys.argv[0] = "run.py"
    sys.exit(cli.main(build, of_tasks=run.SETTINGS_OF_TASKS))


if __name__ == "__main__":
    main()
