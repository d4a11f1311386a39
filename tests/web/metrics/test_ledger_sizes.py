"""Ledgers are counted hour by hour, and what cannot have changed is not counted again."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event

from janitor.state import State, ledger
from janitor.web.metrics.ledger_sizes import LedgerSizes
from tests.small_engine import DATABASES, empty_state, migrated

START = datetime(2026, 3, 2, 12, 20, tzinfo=timezone.utc)


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = migrated(empty_state(request, tmp_path))
    yield made
    made.close()


def enter(state: State, name: str, hours: float, entries: range) -> None:
    """Make entries so many hours after the start."""
    with state.begin() as connection:
        digests = {number.to_bytes(16): bytes(16) for number in entries}
        ledger.enter(connection, name, digests, START + timedelta(hours=hours))


def counted(sizes: LedgerSizes, state: State) -> dict[str, int]:
    with state.read() as connection:
        return sizes.count(connection)


def test_what_comes_and_goes_is_counted_and_nothing_else(state: State) -> None:
    sizes, asked = LedgerSizes(), list[str]()
    assert counted(sizes, state) == {}
    for hours in range(24):
        enter(state, "one", hours, range(hours * 10, hours * 10 + 10))
    enter(state, "two", 0, range(7))
    enter(state, "two", -500_000, range(7, 8))
    assert counted(sizes, state) == {"one": 240, "two": 8}
    enter(state, "one", 23.5, range(1000, 1003))
    enter(state, "one", 25, range(2000, 2005))
    event.listen(state._reader, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert counted(sizes, state) == {"one": 248, "two": 8}
    assert sum("count(" in statement for statement in asked) <= 8
    with state.begin() as connection:
        assert ledger.prune(connection, "one", START + timedelta(hours=2)) == 20
        assert ledger.prune(connection, "one", START + timedelta(hours=4, minutes=1), 15) == 15
        assert ledger.prune(connection, "two", START + timedelta(hours=9)) == 8
    assert counted(sizes, state) == {"one": 248 - 35}


def test_what_was_published_again_counts_once_next_day(state: State) -> None:
    sizes = LedgerSizes()
    for hours in range(5):
        enter(state, "one", hours, range(hours * 10, hours * 10 + 10))
    assert counted(sizes, state) == {"one": 50}
    enter(state, "one", 6, range(15, 35))
    assert counted(sizes, state)["one"] >= 50
    enter(state, "one", 30, range(50, 51))
    assert counted(sizes, state) == {"one": 51}
