"""The benchmark of items: its rows are those of real items, its claims are real, and it leaves out no page."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pika import ConnectionParameters
from sqlalchemy import URL, func, select

from benchmarks import items, items_pages, items_queues, processes
from benchmarks.items_at_size import CLAIMED, Claimer, Filled, filled, snapshot
from benchmarks.items_fill import KINDS, STEPS
from benchmarks.rival_queues import Queues
from benchmarks.servers import Servers
from janitor.state import State, item_counts, item_due
from janitor.state.item_counts import EVER, OF_ITEMS
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, OPEN, PROCESSING, READY, WAITING
from janitor.state.item_tables import item_attempts, item_steps
from janitor.state.item_tables import items as item_table
from tests.servers import Broker, MariaDB
from tests.small_engine import text_of

pytestmark = pytest.mark.slow

NUMBER = 1_000
A_TENTH = NUMBER // KINDS
FEW = items.Sizes(
    through=60, each=3, rounds=1, here=3, firsts=2, elsewhere=1, chain=2, large=400, small=400, few=50,
    looks=1, claims=1, claims_before=0, waiting_seconds=0.1,
)  # fmt: skip


@pytest.fixture
def many(database_url: URL, tmp_path: Path) -> Filled:
    """A state database with a thousand items of each pipeline."""
    environment = {"STATE_DATABASE_URL": text_of(database_url), "HEARTBEAT_FILE": str(tmp_path / "heartbeat")}
    return filled(environment, NUMBER)


@pytest.fixture
def state(many: Filled) -> Iterator[State]:
    """The same, opened."""
    with closing(many.state()) as opened:
        yield opened


def rows(state: State, query: Any) -> list[Any]:
    """What a query finds."""
    with state.read() as connection:
        return list(connection.execute(query))


def kept(state: State, pipeline: str) -> dict[tuple[str, int], int]:
    """The counts of items that are kept, by step and state."""
    with state.read() as connection:
        counts = item_counts.read(connection, pipeline)
    return {(one.step, one.state): one.number for one in counts if one.state != EVER and ":" not in one.step}


def test_each_filled_row_is_that_of_a_real_item(state: State) -> None:
    """Given: a filled state database. Must hold: all copies are like the ten that were really done, and counted."""
    query = select(item_steps.c.lane, item_steps.c.state, func.count()).group_by(item_steps.c.lane, item_steps.c.state)
    found = {(lane, standing): count for lane, standing, count in rows(state, query)}
    ends = [{key[1]: count for key, count in found.items() if key[0] == f"settled.step_{n}"} for n in (0, STEPS - 1)]
    assert ends == [
        {DONE: 8 * A_TENTH, FAILED: A_TENTH, LATER: A_TENTH},
        {DONE: 7 * A_TENTH, WAITING: 2 * A_TENTH, BLOCKED: A_TENTH},
    ]
    of_steps = {(lane.partition(".")[2], standing): count for (lane, standing), count in found.items()}
    assert of_steps.pop(("take", READY)) == NUMBER
    of_items = {(OF_ITEMS, DONE): 7 * A_TENTH, (OF_ITEMS, FAILED): A_TENTH, (OF_ITEMS, OPEN): 2 * A_TENTH}
    assert kept(state, "settled") == {**of_steps, **of_items}
    assert kept(state, "waiting") == {("take", READY): NUMBER, (OF_ITEMS, OPEN): NUMBER}
    per_state = select(item_table.c.state, func.count()).where(item_table.c.pipeline == "settled")
    assert {(OF_ITEMS, one): count for one, count in rows(state, per_state.group_by(item_table.c.state))} == of_items
    assert rows(state, select(func.count(), func.count(item_attempts.c.item_id.distinct()))) == [(NUMBER, NUMBER)]
    lanes = [f"settled.step_{n}" for n in range(STEPS)]
    with state.read() as connection:
        assert item_due.steps(connection, [*lanes, "waiting.take"], datetime.now(timezone.utc)) == {"waiting.take"}


def test_claims_go_on_from_their_place(many: Filled, state: State) -> None:
    """Given: items that wait, and a snapshot. Happens: claims. Must hold: the oldest, each once; the snapshot stays."""
    claimer = Claimer(state, many.pipelines[1].plan)
    held = select(item_steps.c.item_id).where(item_steps.c.state == PROCESSING).order_by(item_steps.c.item_id)
    in_order = select(item_table.c.id).where(item_table.c.pipeline == "waiting")
    oldest = rows(state, in_order.order_by(item_table.c.order_at, item_table.c.id))
    with snapshot(state) as still_ready:
        for turn in (1, 2, 3):
            assert claimer.claim() > 0
            assert rows(state, held) == sorted(oldest[: turn * CLAIMED])
        assert still_ready() == NUMBER
    claimer.whole_look()
    claimer.claim()
    assert rows(state, held) == sorted(oldest[: 4 * CLAIMED])
    for _ in range(4, NUMBER // CLAIMED):
        claimer.claim()
    with pytest.raises(processes.Failed, match="^0 items were claimed, not 100$"):
        claimer.claim()


def test_each_page_of_items_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = items_pages.paths()
    assert {"/pipelines", "/pipelines/settled", "/pipelines/settled/items/s7_9", "/api/pipelines"} <= set(asked)
    monkeypatch.delitem(items_pages.GIVEN, "key")
    with pytest.raises(processes.Failed, match="has no value for 'key'"):
        items_pages.paths()


@pytest.mark.slow
def test_each_page_is_answered(many: Filled, tmp_path: Path) -> None:
    with closing(many.state()) as opened:
        url = opened.url
    what, milliseconds = items_pages.slowest(url, tmp_path / "desk")
    assert what in items_pages.paths() and milliseconds > 0


def test_a_rival_that_cannot_be_had_says_why() -> None:
    nowhere = Broker(ConnectionParameters("127.0.0.1", 1), "guest", "guest")
    for measured in (Queues("", "no such package", nowhere).huey, Queues("", "no such package", nowhere).celery):
        with pytest.raises(processes.Failed, match="^no such package$"):
            measured(3)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_line_has_a_value(mariadb: MariaDB, rabbitmq: Broker) -> None:
    servers = Servers(mariadb, rabbitmq)
    lines = items.through(servers, False, FEW)
    for kind in items.KINDS:
        lines += [*items.how_soon(servers, kind, FEW), *items.at_size(servers, kind, FEW)]
    lines += items_queues.received(rabbitmq, 30, 12)
    assert all(line.value > 0 and line.unit and (line.met is None) == (not line.goal) for line in lines)
    assert len({line.name for line in lines}) == len(lines) == 4 + 2 * 4 + 2 * 8 + 2
