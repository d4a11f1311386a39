"""Huey's tasks that do nothing, on SQLite, added and done in one process.

It runs in an environment of its own, with huey and without Janitor: `python rival_huey_tasks.py NUMBER`, with an empty
folder in RIVAL_FOLDER. SQLite has huey's usual settings: each commit is on the disk before it returns. Its last line is
JSON.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from huey import SqliteHuey, __version__  # type: ignore[import-not-found]

LONGEST_SECONDS = 600.0
QUICK = {"initial_delay": 0.001, "max_delay": 0.01, "backoff": 1.15}
"""How soon its worker looks again if there is nothing; its usual pauses grow to ten seconds."""

huey = SqliteHuey(filename=str(Path(os.environ["RIVAL_FOLDER"]) / "huey.db"), results=False)
last_begun = threading.Event()


@huey.task()  # type: ignore[untyped-decorator]
def nothing(is_last: bool) -> None:
    """Do nothing; the last task tells that it has begun."""
    if is_last:
        last_begun.set()


def main(number: int) -> None:
    """Add so many tasks, and let one thread do them."""
    began = time.perf_counter()
    for one in range(number):
        nothing(one == number - 1)
    added = time.perf_counter() - began
    consumer = huey.create_consumer(workers=1, periodic=False, check_worker_health=False, **QUICK)
    consumer.start()
    if not last_begun.wait(LONGEST_SECONDS):
        raise TimeoutError(f"not done after {LONGEST_SECONDS:g} s")
    seconds = time.perf_counter() - began
    consumer.stop(graceful=True)
    print(json.dumps({"seconds": seconds, "added": added, "version": __version__}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
