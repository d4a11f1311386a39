"""The tables of items: what their columns hold on each kind of database, and the indexes that looks go along."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from janitor.errors import RowRefused
from janitor.runs import bounds
from janitor.state import State, item_claims, item_due
from janitor.state.item_states import DONE, READY
from janitor.state.item_tables import item_attempts, item_steps, items
from janitor.state.tables import metadata
from tests.state.parcels import NOW, SECOND, add
from tests.state.pieces import DIAMOND, attempts_of, plan_of

SNAIL = "\U0001f40c"
LONGEST = {"pipeline": 64, "key": 255, "origin": 64}


def row_of(**values: Any) -> dict[str, Any]:
    plain = {"args": "{}", "priority": 0, "order_at": NOW, "added_at": NOW, "state": 0, "origin": "add", "times": 1}
    return {"pipeline": "p", "key": "k", **plain, **values}


def test_a_key_may_have_255_characters_of_any_kind(state: State) -> None:
    values = {name: SNAIL * most for name, most in LONGEST.items()}
    with state.begin() as connection:
        connection.execute(insert(items).values(row_of(**values)))
    with state.read() as connection:
        row = connection.execute(select(items)).one()
    assert {name: getattr(row, name) for name in LONGEST} == values


def test_a_key_is_one_item_of_its_pipeline(state: State) -> None:
    # Given keys that some collations take for the same.
    keys = ["straße", "strasse", "STRASSE", "e\u0301", "\xe9", "k\u200b", "k"]
    with state.begin() as connection:
        connection.execute(insert(items), [row_of(key=key) for key in keys])
        connection.execute(insert(items).values(row_of(pipeline="q")))
    with pytest.raises(RowRefused), state.begin() as connection:
        connection.execute(insert(items).values(row_of(key="k")))
    with state.read() as connection:
        assert set(connection.execute(select(items.c.key)).scalars()) == set(keys)


def test_moments_are_kept_to_the_microsecond(state: State) -> None:
    at = NOW + timedelta(microseconds=1)
    with state.begin() as connection:
        connection.execute(insert(items), [row_of(key=str(n), order_at=at + n * SECOND / 10**6) for n in range(3)])
    with state.read() as connection:
        found = connection.execute(select(items.c.order_at).order_by(items.c.order_at)).scalars().all()
    assert [(moment - NOW) // timedelta(microseconds=1) for moment in found] == [1, 2, 3]


def test_what_people_read_of_an_attempt_is_cut_and_never_refused(state: State) -> None:
    # Given texts that are far too long, with half a character in each.
    long = "\ud800" + "x" * 3_000_000
    facts: dict[str, Any] = {"reason": long, "traceback": long, "log": long, "code": "\ud800" + "c" * 99}
    values = {"item_id": 1, "step": "a", "run_id": 7, "started_at": NOW, "seconds": 0.5, "status": "failed"}
    with state.begin() as connection:
        connection.execute(insert(item_attempts).values(**values, **facts))
    [row] = attempts_of(state, 1)
    assert len(row.reason.encode()) <= bounds.REASON and len(row.code) <= 64
    assert all(len(found.encode()) <= bounds.TRACEBACK and found.endswith("xxx") for found in (row.traceback, row.log))


@pytest.mark.parametrize("index", ["item_steps_due", "items_by_state", "item_replies_due", "item_attempts_of_item"])
def test_the_database_has_the_index(state: State, index: str) -> None:
    found = {each.name for table in metadata.tables.values() for each in table.indexes}
    assert index in found
    with state.read() as connection:
        if connection.dialect.name == "sqlite":
            made = connection.execute(text("SELECT COUNT(*) FROM sqlite_master WHERE name = :name"), {"name": index})
        else:
            query = "SELECT COUNT(*) FROM information_schema.statistics WHERE index_name = :name"
            made = connection.execute(text(f"{query} AND table_schema = DATABASE()"), {"name": index})
        assert made.scalar_one()


def test_a_look_reads_no_more_rows_than_it_finds(state: State) -> None:
    # Given two thousand items whose step is done, and five for which it can be taken.
    plan = plan_of(DIAMOND)
    ids = add(state, *(str(number) for number in range(2_005)), plan=plan)
    with state.begin() as connection:
        done = item_steps.update().where(item_steps.c.item_id <= ids[1_999]).values(state=DONE, status="processed")
        connection.execute(done)
    with state.read() as connection:
        before = rows_read(connection)
        assert list(item_claims.look(connection, "p.cut", 5).ids) == ids[2_000:]
        assert item_due.steps(connection, ["p.cut", "p.left"], NOW) == {"p.cut"}
        after = rows_read(connection)
        ready = select(item_steps.c.item_id).where(item_steps.c.lane == "p.cut", item_steps.c.state == READY)
        assert len(connection.execute(ready).all()) == 5
    assert after - before < 50


def rows_read(connection: Connection) -> int:
    """How many rows this session has read so far; 0 on SQLite, which does not count them."""
    if connection.dialect.name == "sqlite":
        plan = connection.execute(
            text("EXPLAIN QUERY PLAN SELECT item_id FROM item_steps WHERE lane = 'p.cut' AND state = 1 ORDER BY rank")
        )
        assert "item_steps_due (lane=? AND state=?)" in " ".join(row.detail for row in plan)
        return 0
    rows = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'")).all()
    return sum(int(value) for _, value in rows)
