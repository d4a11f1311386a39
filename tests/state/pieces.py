"""Items of a plan of any shape in a state database, and counts that equal what the rows say."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Row, func, select, text

from janitor.state import State, item_claims, item_counts, item_endings
from janitor.state.item_changes import Changed
from janitor.state.item_counts import EVER, OF_INBOXES, OF_ITEMS, OF_REPLIES, Changes
from janitor.state.item_endings import End
from janitor.state.item_plans import Plan, PlannedStep
from janitor.state.item_states import BUILT_IN, state_of
from janitor.state.item_tables import item_attempts, item_letters, item_replies, item_steps, items
from tests.small_engine import eventually
from tests.state.parcels import NOW

OWN = {"no host": "error", "few filters": "warning"}
"""The statuses of the plans' own."""
DIAMOND: Mapping[str, Mapping[str, str]] = {
    "cut": {},
    "left": {"cut": "processed"},
    "right": {"cut": "processed"},
    "last": {"left": "processed", "right": "processed"},
}
"""One step, two that need it, and one that needs both."""


def plan_of(steps: Mapping[str, Mapping[str, str]], *replies: str, name: str = "p", **more: Any) -> Plan:
    """A plan of steps with their needs, given in an order in which they can be done."""
    made = tuple(PlannedStep(step, needs) for step, needs in steps.items())
    return Plan(name, made, {**BUILT_IN, **OWN}, replies, **more)


def took(state: State, plan: Plan, step: str, *ids: int, run_id: int = 7, at: datetime = NOW) -> list[int]:
    """Take items for a step, as far as they can be taken; the claims of those that were taken."""
    with state.begin() as connection:
        changes = Changes(plan.pipeline)
        found = item_claims.take(connection, plan, step, run_id, ids, at, changes)
        changes.write(connection)
    return [one.claim for one in found]


def an_end(item_id: int, claim: int, status: str = "processed", **more: Any) -> End:
    """How a try has ended; `more` is what differs from a try that took a second and ended with the status."""
    facts = {"state": state_of({**BUILT_IN, **OWN}.get(status, "ok")), "told": status, **more}
    return End(item_id, claim, status=status, started_at=NOW, seconds=1.0, **facts)


def record(state: State, plan: Plan, step: str, *ends: End, at: datetime = NOW, run_id: int = 7) -> Changed:
    """Record ends."""
    with state.begin() as connection:
        changes = Changes(plan.pipeline)
        changed = item_endings.record(connection, plan, step, run_id, ends, at, changes)
        changes.write(connection)
    return changed


def item_of(state: State, item_id: int) -> Row[Any]:
    """An item's row."""
    with state.read() as connection:
        return connection.execute(select(items).where(items.c.id == item_id)).one()


def steps_of(state: State, item_id: int) -> dict[str, Row[Any]]:
    """The rows of an item's steps."""
    with state.read() as connection:
        rows = connection.execute(select(item_steps).where(item_steps.c.item_id == item_id))
        return {row.step: row for row in rows}


def states_of(state: State, item_id: int) -> dict[str, int]:
    """The state of each step of an item."""
    return {step: row.state for step, row in steps_of(state, item_id).items()}


def attempts_of(state: State, item_id: int) -> list[Row[Any]]:
    """The attempts of an item, the oldest first."""
    query = select(item_attempts).where(item_attempts.c.item_id == item_id).order_by(item_attempts.c.id)
    with state.read() as connection:
        return list(connection.execute(query))


def replies_of(state: State, pipeline: str = "p") -> list[Row[Any]]:
    """The replies of a pipeline, the oldest first."""
    query = select(item_replies).where(item_replies.c.pipeline == pipeline).order_by(item_replies.c.id)
    with state.read() as connection:
        return list(connection.execute(query))


def check_counts(state: State, pipeline: str = "p") -> dict[tuple[str, int, str], int]:
    """Make sure that the counts of a pipeline are what its rows say; the counts."""
    with state.read() as connection:
        known = item_counts.read(connection, pipeline)
        rows = _counted(connection, pipeline)
    counts = {(one.step, one.state, one.status): one.number for one in known if one.state != EVER}
    assert counts == rows
    return counts


def _counted(connection: Connection, pipeline: str) -> dict[tuple[str, int, str], int]:
    found = Counter[tuple[str, int, str]]()
    columns: tuple[Any, ...] = (item_steps.c.step, item_steps.c.state, item_steps.c.status)
    steps = select(*columns, func.count()).where(item_steps.c.lane.like(f"{pipeline}.%")).group_by(*columns)
    rows: Sequence[Any] = connection.execute(steps).all()
    for step, state, status, number in rows:
        found[step, state, status] = number
    for name, table, names in (
        (OF_ITEMS, items, {0: "open", 4: "done", 5: "failed"}),
        (OF_REPLIES, item_replies, {0: "waiting", 1: "sent", 2: "given up"}),
    ):
        query = select(table.c.state, func.count()).where(table.c.pipeline == pipeline).group_by(table.c.state)
        for state, number in connection.execute(query):
            found[name, state, names[state]] = number
    letters = select(func.count()).where(item_letters.c.pipeline == pipeline, item_letters.c.dropped_at.is_(None))
    if dead := connection.execute(letters).scalar_one():
        found[OF_INBOXES, 5, "dead letters"] = dead
    return dict(found)


def attempts_counted(state: State, pipeline: str = "p") -> dict[tuple[str, str], int]:
    """How many attempts were counted, by step and status."""
    with state.read() as connection:
        known = item_counts.read(connection, pipeline)
    return {(one.step, one.status): one.number for one in known if one.state == EVER}


class Meanwhile:
    """Another thread that does something in a transaction of its own, once it is told to, and until the block ends."""

    def __init__(self, state: State, do: Callable[[Connection], object]) -> None:
        self._state, self._do = state, do
        self._thread = threading.Thread(target=self._work)
        self._at_work = threading.Event()
        self.came: Any = None
        """What came of it, once the block has ended."""

    def begin(self) -> None:
        """Let it begin, in the middle of a transaction of the caller; it ends, or waits for what the caller holds."""
        self._thread.start()
        assert self._at_work.wait(30)
        if self._state.engine.dialect.name != "sqlite":  # there nobody else begins before the caller has ended
            eventually(self._ends_or_waits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _work(self) -> None:
        self._at_work.set()
        with self._state.begin() as connection:
            self.came = self._do(connection)

    def _ends_or_waits(self) -> bool:
        # Whoever asks more often gets the same answer again.
        self._thread.join(0.2)
        waiting = text("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
        with self._state.read() as connection:
            return not self._thread.is_alive() or bool(connection.execute(waiting).scalar_one())
