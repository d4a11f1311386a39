"""A pipeline of three steps in a state database, for tests of what is kept of items.

fetch    needs nothing
match    needs fetch
count    needs match
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, text

from janitor.state import State, item_adding, item_claims, item_endings, item_plans
from janitor.state.item_adding import NewItem
from janitor.state.item_counts import Changes
from janitor.state.item_endings import End
from janitor.state.item_plans import Plan, PlannedStep
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, OPEN, READY, WAITING, state_of
from janitor.state.item_tables import FAR, item_attempts, item_letters, item_replies, item_results, item_steps, items
from janitor.state.tables import metadata

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
RUN = 7
"""The run that takes items."""
STEPS = ("fetch", "match", "count")
PLAN = Plan(
    "parcels",
    (
        PlannedStep("fetch", {}),
        PlannedStep("match", {"fetch": "processed"}),
        PlannedStep("count", {"match": "processed"}),
    ),
    {"processed": "ok", "failed": "error", "expired": "error", "no host": "error", "few filters": "warning"},
    ("mail",),
)


def save(state: State, plan: Plan = PLAN) -> None:
    """Let the state database know a pipeline."""
    with state.begin() as connection:
        item_plans.save(connection, plan)


def add(state: State, *keys: str, plan: Plan = PLAN, at: datetime = NOW, **values: Any) -> list[int]:
    """Add items; their ids."""
    with state.begin() as connection:
        item_plans.save(connection, plan)
        item_adding.add(connection, plan, [NewItem(key, "{}", at, **values) for key in keys], at)
        rows = connection.execute(select(items.c.key, items.c.id).where(items.c.pipeline == plan.pipeline))
        ids = {row.key: row.id for row in rows}
    return [ids[key] for key in keys]


def take(
    state: State, step: str, *ids: int, plan: Plan = PLAN, at: datetime = NOW, run_id: int = RUN
) -> dict[int, int]:
    """Take items for a step; the number of each one's claim."""
    with state.begin() as connection:
        changes = Changes(plan.pipeline)
        found = item_claims.take(connection, plan, step, run_id, ids, at, changes)
        changes.write(connection)
    return {one.id: one.claim for one in found}


def end(
    state: State, step: str, /, *ids: int, status: str = "processed", plan: Plan = PLAN, at: datetime = NOW, **more: Any
) -> None:
    """Take items for a step, and let it end with a status."""
    claims = take(state, step, *ids, plan=plan, at=at)
    assert sorted(claims) == sorted(ids)
    with state.begin() as connection:
        changes = Changes(plan.pipeline)
        facts = {"state": state_of(plan.kinds.get(status, "ok")), "reason": None, **more}
        ends = [
            End(item, claim, status=status, started_at=at, seconds=1.0, told=status, **facts)
            for item, claim in claims.items()
        ]
        item_endings.record(connection, plan, step, RUN, ends, at, changes)
        changes.write(connection)


def keys_of(state: State, ids: list[int]) -> list[str]:
    """The keys of items, in the order of the ids."""
    with state.read() as connection:
        rows = connection.execute(select(items.c.id, items.c.key).where(items.c.id.in_(ids)))
        found = {row.id: row.key for row in rows}
    return [found[item_id] for item_id in ids]


def statuses(state: State, item_id: int) -> dict[str, tuple[int, str]]:
    """The state and status of each step of an item."""
    with state.read() as connection:
        rows = connection.execute(select(item_steps).where(item_steps.c.item_id == item_id))
        return {row.step: (row.state, row.status) for row in rows}


def fill(state: State, number: int) -> None:
    """Many items, of which six in ten have ended; one in eight of these has failed. Few are flagged."""
    save(state)
    with state.begin() as connection:
        ids = range(1, number + 1)
        connection.execute(insert(items), [_item(item_id, number) for item_id in ids])
        connection.execute(insert(item_steps), [row for item_id in ids for row in _steps(item_id, number)])
        of_item = [{"item_id": item_id, "step": "fetch"} for item_id in ids if item_id % 3 == 0]
        connection.execute(insert(item_results), [row | {"content": "{}"} for row in of_item])
        tried = {"run_id": RUN, "started_at": NOW, "seconds": 1.0, "status": "processed"}
        connection.execute(insert(item_attempts), [row | tried for row in of_item])
        connection.execute(insert(item_replies), [_reply(item_id, number) for item_id in ids if item_id % 5 == 0])
        connection.execute(insert(item_letters), [_letter(item_id) for item_id in ids if item_id % 10 == 0])
    _count(state)


def _item(item_id: int, number: int) -> dict[str, Any]:
    state, at = _state(item_id, number), NOW + item_id * SECOND
    is_flagged = item_id * 5 % number == 5
    return {
        "id": item_id,
        "pipeline": PLAN.pipeline if item_id % 4 else "others",
        "key": f"DN{item_id:07}",
        "args": "{}",
        "priority": 0,
        "order_at": at,
        "added_at": at,
        "expires_at": NOW if item_id == number else None,
        "open_until": None if state != OPEN else NOW if item_id == number else FAR,
        "state": state,
        "ended_at": None if state == OPEN else at + 60 * SECOND,
        "origin": "add",
        "times": 1,
        "flag": "odd" if is_flagged else None,
        "flagged_at": at if is_flagged else None,
    }


def _state(item_id: int, number: int) -> int:
    if item_id > 0.6 * number:
        return OPEN
    return FAILED if item_id % 8 == 1 else DONE


def _steps(item_id: int, number: int) -> Iterator[dict[str, Any]]:
    by_state = {
        OPEN: (
            (LATER if item_id % 4 == 1 else READY, "not processed"),
            (WAITING, "not processed"),
            (WAITING, "not processed"),
        ),
        DONE: ((DONE, "processed"), (DONE, "processed"), (DONE, "processed")),
        FAILED: (
            (DONE, "processed"),
            (FAILED, "no host" if item_id % 16 == 1 else "failed"),
            (BLOCKED, "not processed"),
        ),
    }
    pipeline = PLAN.pipeline if item_id % 4 else "others"
    for step, (state, status) in zip(STEPS, by_state[_state(item_id, number)], strict=True):
        yield {
            "item_id": item_id,
            "step": step,
            "lane": f"{pipeline}.{step}",
            "state": state,
            "rank": 0,
            "sort_at": NOW + item_id * SECOND,
            "status": status,
            "since_at": NOW + item_id * SECOND,
            "tries": 0,
            "deaths": 0,
            "claims": 0,
            "run_id": 0,
        }


def _reply(item_id: int, number: int) -> dict[str, Any]:
    is_sent = item_id < number
    return {
        "lane": PLAN.lane("mail"),
        "state": 1 if is_sent else 0,
        "due_at": NOW,
        "pipeline": PLAN.pipeline,
        "key": f"DN{item_id:07}",
        "item_id": item_id,
        "content": "{}",
        "added_at": NOW,
        "tries": 0,
        "ended_at": NOW + item_id * SECOND if is_sent else None,
    }


def _letter(item_id: int) -> dict[str, Any]:
    return {
        "pipeline": PLAN.pipeline,
        "inbox": "desk",
        "at": NOW + item_id * SECOND,
        "reason": "it is no JSON",
        "message": "x",
        "bytes": 1,
        "dropped_at": NOW if item_id % 20 else None,
    }


def _count(state: State) -> None:
    """Let a server know how many rows there are; it does so by itself, some seconds later."""
    with state.begin() as connection:
        if connection.dialect.name != "sqlite":
            for table in metadata.sorted_tables:
                connection.execute(text(f"ANALYZE TABLE `{table.name}`"))


class Work:
    """How much a database reads for what is done inside the block: SQLite's steps, or the rows that a server reads."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is counted yet."""
        self._connection = connection
        self.done = 0

    def __enter__(self) -> "Work":
        self._before = self._rows_read()
        if self._connection.dialect.name == "sqlite":
            self._sqlite().set_progress_handler(self._step, 1)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection.dialect.name == "sqlite":
            self._sqlite().set_progress_handler(None, 0)
        else:
            self.done = self._rows_read() - self._before

    def _step(self) -> int:
        self.done += 1
        return 0

    def _sqlite(self) -> Any:
        return self._connection.connection.driver_connection

    def _rows_read(self) -> int:
        if self._connection.dialect.name == "sqlite":
            return 0
        rows = self._connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'")).all()
        return sum(int(row[1]) for row in rows)
