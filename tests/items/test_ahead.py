"""Items that are taken while others are recorded, on a server: each once, in their order, and none is lost.

Given: a step with many items that are done at once. What happens: they are taken ahead, by a thread beside the run's;
it fails, before its commit and after; some items have to be taken alone. What must hold: all are done, each once, or
again after an attempt that tells why; and SQLite, with one writer at a time, has no such thread.
"""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, event, func, select, update

from janitor.errors import Unavailable
from janitor.items import Item, Step, ahead, work
from janitor.state.item_states import PROCESSING
from janitor.state.item_tables import item_attempts, item_steps
from tests.items.house import House, Seen, house, succeeded

KEYS = [f"{number:04d}" for number in range(3_000)]


def watch(made: House, name: str, do: Callable[[Connection], None]) -> None:
    """Call something before each commit of a thread that takes ahead, or of any other."""

    def told(connection: Connection) -> None:
        if threading.current_thread().name.endswith(name):
            do(connection)

    event.listen(made.state.engine, "commit", told)


def statuses(made: House) -> dict[str, int]:
    """How many attempts had which status."""
    with made.state.read() as connection:
        rows = connection.execute(select(item_attempts.c.status, func.count()).group_by(item_attempts.c.status)).all()
    return {status: count for status, count in rows}


def test_items_that_are_taken_ahead_are_done_in_their_order(state_url: URL, tmp_path: Path) -> None:
    seen, commits = Seen(), Counter[str]()
    with house(state_url, tmp_path, Step("only", seen)) as made:
        made.add(*KEYS)
        watch(made, "", lambda connection: commits.update([threading.current_thread().name]))
        assert succeeded(made.do("only")) == {"processed": len(KEYS)}
        assert seen.keys == KEYS
        assert statuses(made) == {"processed": len(KEYS)}
        beside = sum(count for name, count in commits.items() if name.endswith(" ahead"))
        assert bool(beside) is made.state.is_server
        made.check_counts()


@pytest.mark.parametrize("state_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_thread_that_fails_loses_nothing(
    state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    monkeypatch.setattr(work, "LINGER_SECONDS", 3600.0)  # only a run in doubt ends
    failed: list[int] = []

    def fail(connection: Connection) -> None:
        if not failed:
            failed.append(1)
            if is_committed:
                connection.connection.driver_connection.commit()  # type: ignore[union-attr]
            raise Unavailable("the connection was lost at a commit")

    seen = Seen()
    with house(state_url, tmp_path, Step("only", seen), leads=False) as made:
        made.add(*KEYS)
        watch(made, " ahead", fail)
        made.go_until_ended(len(KEYS))
        assert failed == [1]
        assert sorted(seen.keys) == KEYS
        found = statuses(made)
        assert found.pop("processed") == len(KEYS)
        # What the server did without an answer is held by a run that ends, and goes back.
        assert set(found) <= {"interrupted"} and bool(found) is is_committed
        with made.state.read() as connection:
            assert connection.execute(select(func.sum(item_steps.c.deaths))).scalar_one() == 0
        made.check_counts()


@pytest.mark.parametrize("state_url", ["mariadb"], indirect=True)
def test_what_is_to_be_taken_alone_is_not_taken_ahead(
    state_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LEAST", 1)
    alone: dict[str, Any] = {}
    suspects = KEYS[100:300:50]

    def do(item: Item) -> None:
        if item.key in suspects:
            with made.state.read() as connection:
                held = select(func.count()).select_from(item_steps).where(item_steps.c.state == PROCESSING)
                alone[item.key] = connection.execute(held).scalar_one()

    with house(state_url, tmp_path, Step("only", do)) as made:
        made.add(*KEYS[:400])
        with made.state.begin() as connection:
            ids = [made.item(key).id for key in suspects]
            connection.execute(update(item_steps).where(item_steps.c.item_id.in_(ids)).values(deaths=1))
        assert succeeded(made.do("only")) == {"processed": 400}
        assert alone == dict.fromkeys(suspects, 1)
        made.check_counts()
