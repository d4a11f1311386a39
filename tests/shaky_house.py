"""A daemon whose loops raise at random: `python -m tests.shaky_house VERB`, with SEED and SHARE."""

import os
import sys
from pathlib import Path

from janitor import cli
from janitor.engine.runner import Runner
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.loops import duty
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from tests.loops.shaky import Shaky


class ShakyScheduler(Scheduler):
    """A scheduler whose runner has loops that raise at random."""

    def runner(self, mask: Mask, run_log: RunLog) -> Runner:
        """As any scheduler's, with other loops."""
        made = super().runner(mask, run_log)
        loops = Shaky(int(os.environ["SEED"]), float(os.environ["SHARE"]))
        return Runner(made.state, made.settings, made.holder, mask, run_log, loops)


def broken() -> None:
    """Fail while a file is there."""
    if Path(os.environ["BROKEN"]).exists():
        raise OSError("the disk is full")


def works() -> dict[str, int]:
    """Succeed."""
    return {"rows": 3}


def build(settings: Settings) -> Scheduler:
    """Three jobs: one that may fail, one that works, and one that builds on it."""
    scheduler = ShakyScheduler(settings)
    scheduler.add_job(broken, "every 1s")
    scheduler.add_job(works, "every 1s")
    scheduler.add_job(works, "after", id="after_works", dependencies=["works"])
    return scheduler


if __name__ == "__main__":
    # So that a test need not wait for pauses made for days.
    duty.FIRST_PAUSE_SECONDS = duty.LONGEST_PAUSE_SECONDS = 0.05
    sys.exit(cli.main(build))
