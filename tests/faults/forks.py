"""Tasks that fork: `forks` in a thread and `forks_apart` in a process.

Each run makes children in one of the ways below, chosen by its id. Whatever becomes of them, the run ends with SUM. It
tells the id of a child that it leaves behind.
"""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from janitor import memory
from janitor.feeds import position_after
from janitor.runs import current_run
from janitor.scheduler import Scheduler

FORK = multiprocessing.get_context("fork")
JOBS = ("forks", "forks_apart")
SUM = 30
LONG_SECONDS = 120


def add_forks(scheduler: Scheduler) -> None:
    """Add both jobs."""
    scheduler.add_job(forks, "every 1s", id="forks")
    scheduler.add_job(forks, "every 1s", id="forks_apart", isolation="process")


def forks() -> dict[str, object]:
    """Make children in one of the ways."""
    chance = random.Random(f"{os.environ.get('FAULTS_SEED', '1')} {current_run().id}")
    way = chance.choice(WAYS)
    found = way()
    return {"sum": SUM if found > SUM else found, "way": way.__name__, "pid": found if found > SUM else 0}


def square(number: int) -> int:
    """Work for a child."""
    return number * number


def in_a_pool() -> int:
    """Share the work out among the children of a pool."""
    with FORK.Pool(2) as pool:
        return sum(pool.map(square, range(5)))


def in_a_pool_that_is_killed() -> int:
    """Share the work out among children, one of which is killed."""
    with ProcessPoolExecutor(2, mp_context=FORK) as pool:
        try:
            pool.submit(kill_itself).result()
        except BrokenProcessPool:
            return SUM
    return 0


def kill_itself() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def told_to_end() -> int:
    """Make a child that would go on for long, and tell it to end."""
    child = FORK.Process(target=time.sleep, args=(LONG_SECONDS,))
    child.start()
    child.terminate()
    child.join()
    return SUM if child.exitcode == -signal.SIGTERM else 0


def left_behind() -> int:
    """Leave a child behind that goes on for long; its id, which is above SUM."""
    child = FORK.Process(target=time.sleep, args=(LONG_SECONDS,))
    child.start()
    return child.pid or 0


def ending(act: Callable[[], object], code: int) -> Callable[[], int]:
    """Make a way in which a child does something, and then goes on as if it were the task."""

    def way() -> int:
        pid = os.fork()
        if pid == 0:
            act()
            return 0
        return SUM if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code else -1

    way.__name__ = act.__name__
    return way


def returning() -> None:
    """Do nothing."""


def raising() -> None:
    """Fail."""
    raise ValueError("in the child")


def exiting() -> None:
    """End the process in order."""
    sys.exit(3)


def saving() -> None:
    """Use the state database."""
    memory.save_cursor("forks", position_after("7"))
    current_run().progress(1, 2)


WAYS: tuple[Callable[[], int], ...] = (
    in_a_pool,
    in_a_pool_that_is_killed,
    told_to_end,
    left_behind,
    ending(returning, 0),
    ending(raising, 1),
    ending(exiting, 3),
    ending(saving, 0),
    ending(kill_itself, -signal.SIGKILL),
)
