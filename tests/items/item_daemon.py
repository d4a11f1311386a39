"""A daemon with a pipeline, some of whose items end its process: `python -m tests.items.item_daemon`.

pack     each item; the key `deadly` kills the process, `slow` waits for a file to come, `flaky ...` fails at first
ship     each item that is packed
"""

import os
import signal
from pathlib import Path

from janitor.items import Item, Step
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings


def pack(item: Item) -> None:
    """End the process if the item is deadly."""
    _note("pack", item)
    if item.key.startswith("flaky") and item.attempt == 1:
        raise ValueError("the first try fails")
    if item.key == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    while item.key == "slow" and not Path(os.environ["DONE"]).exists():
        current_run().sleep(0.02)


def ship(item: Item) -> None:
    """Nothing but a note."""
    _note("ship", item)


def _note(step: str, item: Item) -> None:
    with open(os.environ["LEDGER"], "a", encoding="utf-8") as ledger:
        ledger.write(f"{step} {item.key} {os.getpid()}\n")


STEPS = Step("pack", pack, workers=2, retries=1), Step("ship", ship, needs=["pack"])

if __name__ == "__main__":
    scheduler = Scheduler(Settings.load(dotenv=None))
    scheduler.add_pipeline("p", STEPS)
    scheduler.start()
