"""A daemon of items with a knife at a numbered point: `python -m tests.faults.item_victim`.

VICTIM_POINT is `NUMBER:PASSAGE`: the process kills itself (SIGKILL) when it comes to point NUMBER for the PASSAGE-th
time. Without it nothing is killed. Each step notes in the file EFFECTS that it begins with an item, and that it ends.

fetch     in threads, two at a time
compute   in a child process; the item `poison` kills it
keep      puts a result into the folder of STORE; each is recorded before the next begins
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from janitor.items import FolderStore, Item, RabbitInbox, RabbitReply, Step, work
from janitor.items.receiving import Taking
from janitor.items.replies.rabbitmq import RabbitSender
from janitor.items.trying import Trying
from janitor.items.workers import Workers
from janitor.rabbitmq.existing_queue import ExistingQueue
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import item_claims, item_endings, item_replies
from tests.faults.victim import seam, there

POINTS = {
    1: "before messages are received",
    2: "after messages were received",
    3: "before items are committed",
    4: "after items were committed",
    5: "before messages are acknowledged",
    6: "after messages were acknowledged",
    7: "before items are claimed",
    8: "after items were claimed, before that is committed",
    9: "after a claim was committed",
    10: "before an item is begun",
    11: "after an item was done",
    12: "before a result is stored",
    13: "after a result was stored",
    14: "before what was done is recorded",
    15: "after what was done was recorded, before that is committed",
    16: "after what was done was committed",
    17: "before a reply is sent",
    18: "after a reply was sent",
    19: "before a reply that was sent is noted",
    20: "after a reply that was sent was noted, before that is committed",
}
OF_ITEMS = (10, 11, 12, 13, 17, 18, 19, 20)
"""The points that are passed for each item; the others are passed for a batch."""
POISON = "poison"
STEP_SECONDS = 0.005


def effect(step: str, item: Item) -> None:
    """Note the beginning, take a moment, and note the end."""
    _note(f"begin {step} {item.key}")
    current_run().sleep(STEP_SECONDS)
    _note(f"end {step} {item.key}")


def _note(words: str) -> None:
    descriptor = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # A line is one write: it is there as a whole, whoever dies.
        os.write(descriptor, f"{words} {os.environ['DAEMON']}\n".encode())
    finally:
        os.close(descriptor)


def fetch(item: Item) -> None:
    """Leave a number."""
    effect("fetch", item)
    item.result = item.args["number"]


def compute(item: Item) -> None:
    """Leave twice the number; end the process if the item is poison."""
    effect("compute", item)
    if item.key == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    item.result = 2 * item.results["fetch"]


def keep(item: Item) -> None:
    """Keep the number in the store."""
    effect("keep", item)
    STORE.put(SETTINGS, item.pipeline, item.key, str(item.results["compute"]).encode(), {})


STEPS = (
    Step("fetch", fetch, workers=2),
    Step("compute", compute, needs=["fetch"], isolation="process", timeout=60),
    Step("keep", keep, needs=["compute"], record="each"),
)


class Knife:
    """Counts how often the point was passed, and kills."""

    def __init__(self, number: int, passage: int) -> None:
        """Nothing was passed yet; `number` 0 is no point."""
        self.number, self._left, self._counting = number, passage, threading.Lock()

    def __call__(self, number: int) -> None:
        """Note that a point is passed."""
        if number != self.number:
            return
        with self._counting:
            self._left -= 1
            if self._left == 0:
                os.write(2, f"killed {POINTS[number]}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)


def always(*_: Any) -> bool:
    """Whatever the call was given."""
    return True


def watch(knife: Knife) -> None:
    """Set the knife to its seams."""
    around(knife, ExistingQueue, "next", 1, 0)
    around(knife, ExistingQueue, "next", 0, 2, after_if=bool)
    around(knife, Taking, "_commit", 3, 4)
    around(knife, ExistingQueue, "settle", 5, 6)
    around(knife, item_claims, "take", 7, 8, if_any=lambda *given: bool(given[4]))
    around(knife, Workers, "give", 9, 0, if_any=lambda _, claimed, *more: bool(claimed))
    around(knife, Trying, "try_one", 10, 11)
    around(knife, FolderStore, "put", 12, 13)
    around(knife, item_endings, "record", 14, 15, if_any=lambda *given: bool(given[4]))
    around(knife, Workers, "recorded", 16, 0, if_any=lambda _, ends: bool(ends))
    around(knife, RabbitSender, "send", 17, 18)
    around(knife, item_replies, "note_sent", 19, 20)


def around(
    knife: Knife,
    owner: Any,
    name: str,
    before: int,
    after: int,
    if_any: Callable[..., bool] = always,
    after_if: Callable[[Any], bool] = always,
) -> None:
    """Pass one point before each call, and another after each call that returns; the others are not counted."""
    plainly = there(owner, name)

    def called(*arguments: Any, **more: Any) -> Any:
        counts = if_any(*arguments)
        if counts:
            knife(before)
        returned = plainly(*arguments, **more)
        if counts and after_if(returned):
            knife(after)
        return returned

    seam(owner, name, called)


def main() -> None:
    """Set up the knife, then run the daemon."""
    number, passage = (int(part) for part in (os.environ.get("VICTIM_POINT") or "0:0").split(":"))
    if not hasattr(work, "item_claims") or not hasattr(work, "item_endings"):
        sys.exit("tests.faults.item_victim: a run calls item_claims.take and item_endings.record no more")
    if number:
        watch(Knife(number, passage))
    scheduler = Scheduler(SETTINGS)
    scheduler.add_pipeline(
        "p",
        STEPS,
        inboxes=[RabbitInbox("queue", os.environ["QUEUE"])],
        replies=[RabbitReply("answers")],
        store=STORE,
    )
    scheduler.start()


if __name__ in ("__main__", "__mp_main__"):
    SETTINGS = Settings.load(dotenv=None)
    STORE = FolderStore(os.environ["STORE"])
if __name__ == "__main__":
    main()
