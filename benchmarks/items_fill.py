"""A state database with a million items of each of two pipelines, made by statements on the server.

    settled    ten steps, one after the other; nothing can be taken: of ten items seven are done, one has failed at its
               first step, and two wait until 2100 for another try: one at the first step, one at the fifth
    waiting    one step; every item waits for it, the oldest first

Ten items of either are added, taken and ended as any others. All others are copies of their rows.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone

from sqlalchemy import Column, Connection, Table, delete, insert, text, update

from janitor.items import Pipeline, Step
from janitor.runs import Outcome
from janitor.scheduler import Scheduler
from janitor.state import State, item_adding, item_claims, item_counts, item_endings, item_letters, item_plans
from janitor.state.item_adding import NewItem
from janitor.state.item_claims import Claimed
from janitor.state.item_counts import Changes
from janitor.state.item_endings import End
from janitor.state.item_states import DONE, FAILED, FAILURE, LATER, PROCESSED
from janitor.state.item_tables import item_attempts
from janitor.state.item_tables import item_counts as count_table
from janitor.state.item_tables import item_snapshots, item_steps, items
from janitor.state.tables import runs

STEPS, KINDS = 10, 10
FAILS_AT_FIRST, WAITS_AT_FIRST, WAITS_AT_FIFTH = 7, 8, 9
"""Of ten items that are settled, those that are not done."""
FIFTH = 4
TOGETHER = 2 * KINDS
"""So many items are copied again and again."""
COPIES = 500
"""So often by one statement: none takes so long that the limit of the state database cuts it."""
LETTERS, SNAPSHOTS = 100, 1_440
FAR = datetime(2100, 1, 1, tzinfo=timezone.utc)
MOVED = ("order_at", "sort_at", "ended_at")
"""The moments that differ from copy to copy: pages and claims go in their order."""
_DIGIT = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))


def nothing(item: object) -> None:
    """Do nothing."""


def add_pipelines(scheduler: Scheduler, func: Callable[..., object] = nothing) -> list[Pipeline]:
    """Add both pipelines; `func` is the step for which items wait."""
    steps = [Step(f"step_{n}", nothing, needs=[f"step_{n - 1}"] if n else ()) for n in range(STEPS)]
    return [scheduler.add_pipeline("settled", steps), scheduler.add_pipeline("waiting", [Step("take", func)])]


def fill(state: State, pipelines: Sequence[Pipeline], number: int) -> None:
    """Give an empty state database `number` items of each pipeline: a multiple of ten."""
    began_at = datetime.now(timezone.utc) - timedelta(seconds=2 * number)
    times = number // KINDS
    with state.begin() as connection:
        for pipeline in pipelines:
            item_plans.save(connection, pipeline.plan)
            news = [
                NewItem(f"{pipeline.name[0]}{kind}", json.dumps({"kind": kind}), began_at + timedelta(seconds=kind))
                for kind in range(KINDS)
            ]
            # One by one: of several rows InnoDB leaves gaps between ids, and the first are taken for 1, 2, 3, ...
            for new in news:
                item_adding.add(connection, pipeline.plan, [new], began_at)
        _settle(connection, pipelines[0], began_at)
        all_at_once = {"number": count_table.c.number * times, "seconds": count_table.c.seconds * times}
        connection.execute(update(count_table).values(all_at_once))
        for pipeline in pipelines:
            _keep_more(connection, pipeline.name)
    for first in range(1, times, COPIES):
        with state.begin() as connection:
            for table in (items, item_steps, item_attempts):
                _copy(connection, table, first, min(first + COPIES, times))


def _settle(connection: Connection, pipeline: Pipeline, at: datetime) -> None:
    """Take ten items through their steps, in a run that has ended."""
    ended = {"outcome": Outcome.SUCCEEDED, "started_at": at, "ended_at": at, "attempts": 1, "slots": 0}
    run = {"job": f"{pipeline.name}.step_0", "origin": "work", "dry_run": False, "holder": "gone", **ended}
    made = connection.execute(insert(runs).values(run)).inserted_primary_key
    assert made is not None
    run_id: int = made[0]
    plan, changes = pipeline.plan, Changes(pipeline.name)
    for number, step in enumerate(plan.steps):
        found = item_claims.look(connection, plan.lane(step.name), KINDS)
        taken = item_claims.take(connection, plan, step.name, run_id, found.ids, at, changes)
        ends = [_end_of(one, int(one.key[1:]), number, at) for one in taken]
        item_endings.record(connection, plan, step.name, run_id, ends, at, changes)
    changes.write(connection)
    # One attempt of each item is enough, and takes a third of the time.
    connection.execute(delete(item_attempts).where(item_attempts.c.step != plan.steps[0].name))


def _end_of(claimed: Claimed, kind: int, step: int, at: datetime) -> End:
    state, status, until = DONE, PROCESSED, None
    if kind == FAILS_AT_FIRST:
        state, status = FAILED, FAILURE
    elif {WAITS_AT_FIRST: 0, WAITS_AT_FIFTH: FIFTH}.get(kind) == step:
        state, status, until = LATER, FAILURE, FAR
    return End(claimed.id, claimed.claim, state, status, at, 0.01, status, until)


def _keep_more(connection: Connection, pipeline: str) -> None:
    """A day of snapshots, and some dead letters."""
    now = datetime.now(timezone.utc)
    counts = item_counts.read(connection, pipeline)
    content = json.dumps([[one.step, one.state, one.status, one.number, one.seconds] for one in counts])
    moments = [now - timedelta(minutes=back) for back in range(SNAPSHOTS)]
    connection.execute(insert(item_snapshots), [{"pipeline": pipeline, "at": at, "content": content} for at in moments])
    for number in range(LETTERS):
        item_letters.add(connection, pipeline, "inbox", "it is no JSON", "{", 1, f"letter {number}", now)


def _copy(connection: Connection, table: Table, first: int, after: int) -> None:
    """Copy the rows of the first items, for each number from `first` on and below `after`."""
    own = "id" if table is items else "item_id"
    columns = [column for column in table.columns if own == column.name or column.name != "id"]
    names = ", ".join(f"`{column.name}`" for column in columns)
    values = ", ".join(_values(connection, columns, own))
    query = (
        f"INSERT INTO {table.name} ({names}) SELECT {values} "
        f"FROM {_numbers(first, after)} CROSS JOIN {table.name} AS one "
        # In the order of ids, as items come.
        f"WHERE one.{own} <= {TOGETHER} ORDER BY m.n, one.{own}"
    )
    connection.execute(text(query.replace(":", r"\:")))


def _values(connection: Connection, columns: Sequence[Column[object]], own: str) -> Iterator[str]:
    is_lite = connection.dialect.name == "sqlite"
    more = f"{TOGETHER} * m.n"
    for column in columns:
        name = f"one.`{column.name}`"
        if column.name == own:
            yield f"{name} + {more}"
        elif column.name == "key":
            yield f"{name} || '_' || m.n" if is_lite else f"CONCAT({name}, '_', m.n)"
        elif column.name not in MOVED:
            yield name
        elif is_lite:
            yield f"strftime('%Y-%m-%d %H:%M:%S.000000', {name}, '+' || ({more}) || ' seconds')"
        else:
            yield f"DATE_ADD({name}, INTERVAL {more} SECOND)"


def _numbers(first: int, after: int) -> str:
    """A table `m` with the column `n`: the numbers from `first` on, below `after`; 10,000 of them at most."""
    places = range(4)
    number = f"{first} + {' + '.join(f'd{place}.d * {10**place}' for place in places)}"
    tables = " CROSS JOIN ".join(f"({_DIGIT}) AS d{place}" for place in places)
    return f"(SELECT {number} AS n FROM {tables} WHERE {number} < {after}) AS m"
