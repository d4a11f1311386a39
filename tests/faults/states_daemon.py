"""The real command line, with jobs that each stay in one state: `python -m tests.faults.states_daemon`.

JOBS names the jobs. Each job logs `in STATE` when it is there, and stays there for a minute or until it is stopped.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import make_url, text

from janitor import cli, databases, memory
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from tests.messages import publisher_to, statuses

log = logging.getLogger("tests.task")
LONG_SECONDS = 60
LEASE = "taken"


def checking(settings: Settings) -> None:
    """Come to a safe point again and again."""
    log.info("in checking")
    current_run().sleep(LONG_SECONDS)


def deaf(settings: Settings) -> None:
    """Come to no safe point."""
    log.info("in deaf")
    time.sleep(LONG_SECONDS)


def failing(settings: Settings) -> None:
    """Fail, so that it is tried again later."""
    log.info("in %s", "failing")
    raise ValueError("no luck")


def waiting(settings: Settings) -> None:
    """Wait for a lease that the test holds."""
    log.info("in waiting")
    with memory.exclusively(LEASE):
        raise AssertionError("the test holds it")


def asking(settings: Settings) -> None:
    """Wait for the answer to a long statement."""
    log.info("in asking")
    with databases.read(make_url(os.environ["ASKED_URL"])) as connection:
        connection.execute(text(f"SELECT SLEEP({LONG_SECONDS})"))


def publishing(settings: Settings) -> None:
    """Publish again and again."""
    with publisher_to(settings, os.environ["EXCHANGE"]) as publisher:
        while True:
            records = statuses(10)
            publisher.publish(records, os.urandom(16))
            log.info("in publishing")
            current_run().sleep(0.05)


JOBS: dict[str, tuple[Callable[[Settings], None], dict[str, Any]]] = {
    "quiet": (checking, {"start_date": "2100-01-01"}),
    "checking": (checking, {}),
    "deaf": (deaf, {}),
    "child": (checking, {"isolation": "process"}),
    "deaf_child": (deaf, {"isolation": "process"}),
    "failing": (failing, {"retries": 9}),
    "waiting": (waiting, {}),
    "asking": (asking, {}),
    "publishing": (publishing, {}),
}


def build(settings: Settings) -> Scheduler:
    """Make a clock with the jobs that JOBS names."""
    scheduler = Scheduler(settings)
    for name in os.environ["JOBS"].split():
        func, options = JOBS[name]
        scheduler.add_job(func, "interval", args=[settings], id=name, **({"hours": 1} | options))
    return scheduler


if __name__ == "__main__":
    sys.exit(cli.main(build, ["start"]))
