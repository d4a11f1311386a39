"""Celery's tasks that do nothing, on RabbitMQ: published with confirms, acknowledged after they are done.

It runs in an environment of its own, with Celery and without Janitor: `python rival_celery_tasks.py NUMBER`, with the
broker's URL in RIVAL_BROKER and an empty folder in RIVAL_FOLDER. Its worker has Celery's usual pool: a process for each
core. Its last line is JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery, __version__  # type: ignore[import-not-found]

BROKER, FOLDER = os.environ["RIVAL_BROKER"], Path(os.environ["RIVAL_FOLDER"])
PREFETCH = 16
LONGEST_SECONDS = 600.0
QUEUE = "rival_celery"

app = Celery("rival_celery_tasks", broker=BROKER)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=PREFETCH,
    broker_transport_options={"confirm_publish": True},
)


@app.task  # type: ignore[untyped-decorator]
def nothing(mark: str) -> None:
    """Do nothing; a task with a mark tells that it has begun."""
    if mark:
        (FOLDER / mark).touch()


@contextmanager
def worker() -> Iterator[None]:
    """Run a worker, as a person starts it."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    command = [sys.executable, "-m", "celery", "--app", "rival_celery_tasks", "worker", *quiet]
    with (FOLDER / "log").open("ab") as log:
        made = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=log, stderr=log)
    try:
        yield
    finally:
        made.terminate()
        made.wait(LONGEST_SECONDS)


def wait_for(mark: str) -> float:
    """Wait until a task with this mark has begun; when that was, in seconds since 1970."""
    until = time.monotonic() + LONGEST_SECONDS
    while not (FOLDER / mark).exists():
        if time.monotonic() > until:
            raise TimeoutError((FOLDER / "log").read_text()[-2000:])
        time.sleep(0.002)
    return (FOLDER / mark).stat().st_mtime


def publish(number: int, last: str, first: str = "") -> None:
    """Publish so many tasks."""
    nothing.delay(first)
    for _ in range(number - 2):
        nothing.delay("")
    nothing.delay(last)


def main(number: int) -> None:
    """Publish tasks beside a worker, and wait until the last has begun; then publish as many more before it works."""
    with worker():
        nothing.delay("ready")
        wait_for("ready")
        began = time.time()
        publish(number, "last")
        published = time.time() - began
        seconds = wait_for("last") - began
    publish(number, "last of all", "first")
    with worker():
        consumed = wait_for("last of all") - wait_for("first")
    print(json.dumps({"seconds": seconds, "published": published, "consumed": consumed, "version": __version__}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
