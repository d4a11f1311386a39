"""Items that people reset, reprocess, retry and drop, and add again, while a daemon works on them."""

import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from janitor.errors import JanitorError
from janitor.items import Item, Step
from janitor.operations import items as operations
from janitor.runs import current_run
from janitor.state.item_states import DONE, OPEN
from janitor.state.item_tables import item_attempts, item_letters, item_results, item_steps, items
from tests.items.house import House, house
from tests.small_engine import eventually

KEYS = [f"k{number:03}" for number in range(120)]
ROUNDS = 150
PEOPLE = 3
END_SECONDS = 120.0


def change_one(made: House, chance: random.Random) -> str:
    """Do one thing to one item, as a person does; what was done."""
    key, state, now = chance.choice(KEYS), made.state, made.now()
    what = chance.choice(["reset", "reprocess", "retry", "drop", "add"])
    if what == "add":
        made.add(key, args={"n": chance.randint(1, 9)}, on_duplicate=chance.choice(["ignore", "change", "anew"]))
        return what
    selection = operations.by_key(state, "p", key)
    if what == "reset":
        operations.reset(state, selection, chance.choice(["a", "b", "c"]), "eva", now)
    elif what == "reprocess":
        operations.reprocess(state, selection, "eva", now)
    elif what == "retry":
        operations.retry(state, selection, "eva", now)
    else:
        operations.drop(state, selection, "not wanted", "eva", now)
    return what


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_items_that_are_changed_while_they_are_done_come_to_an_end(
    state_url: URL, tmp_path: Path, faults_seed: int, record_property: Callable[[str, Any], None]
) -> None:
    chance, done = random.Random(f"{faults_seed} changed items"), Counter[str]()

    def do(item: Item) -> None:
        current_run().sleep(0.002)
        item.result = [item.step, item.key]
        if zlib.crc32(f"{item.key} {item.attempt}".encode()) % 9 == 0:
            raise ValueError("by chance")

    steps = (
        Step("a", do, workers=3, retries=1),
        Step("b", do, needs=["a"], retries=1),
        Step("c", do, needs=["b"], record="each"),
    )
    with house(state_url, tmp_path, *steps, leads=False) as made:
        made.add(*KEYS)

        def person(own: random.Random) -> None:
            for _ in range(ROUNDS):
                try:
                    done[change_one(made, own)] += 1
                except JanitorError as exc:  # another person has dropped it meanwhile
                    done[type(exc).__name__] += 1
                own_pause.wait(0.005)

        own_pause = threading.Event()

        def script() -> None:
            people = [
                threading.Thread(target=person, args=(random.Random(chance.random()),), daemon=True)
                for _ in range(PEOPLE)
            ]
            for one in people:
                one.start()
            for one in people:
                one.join(END_SECONDS)
                assert not one.is_alive()
            eventually(lambda: made.count(items.c.state == OPEN) == 0, made.told, END_SECONDS)

        made.go(script)
        made.check_counts()
        _check_rows(made)
        assert done["drop"] > 5 and done["reset"] > 5 and done["add"] > 5, done
        record_property(
            "faults", f"items: changed while they are done, {state_url.get_backend_name()}: stuck 0, {dict(done)}"
        )


def _check_rows(made: House) -> None:
    """Nothing lies about of what was dropped; what was done has its three steps, and their results."""
    with made.state.read() as connection:
        there = {row.id: row.state for row in connection.execute(select(items.c.id, items.c.state))}
        for table in (item_steps, item_attempts, item_results):
            of_items = set(connection.execute(select(table.c.item_id)).scalars())
            assert of_items <= set(there), f"{table.name} has rows of items that were dropped"
        assert connection.execute(select(item_letters.c.id)).all() == []
        for item_id, state in there.items():
            if state != DONE:
                continue
            query = select(item_results.c.step).where(item_results.c.item_id == item_id)
            assert sorted(connection.execute(query).scalars()) == ["a", "b", "c"]
