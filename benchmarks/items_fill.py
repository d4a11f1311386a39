"""A state database with a million items, made by statements on the server, so that it takes seconds.

    settled    ten steps, one after the other; nothing can be taken: of ten items seven are done, one has failed at the
               first step, and two wait until 2100 for another try
    waiting    one step; every item waits for it, the oldest first

Each item of `settled` has one attempt. There are counts, a day of snapshots, and some dead letters and flags.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, insert, text

from benchmarks.long_history import CHUNK
from janitor.items import Pipeline, Step
from janitor.scheduler import Scheduler
from janitor.state import State, item_plans
from janitor.state.item_counts import OF_ITEMS, Changes
from janitor.state.item_states import (
    BLOCKED,
    DONE,
    FAILED,
    FAILURE,
    LATER,
    NOT_PROCESSED,
    OPEN,
    PROCESSED,
    READY,
    WAITING,
    name_of_item,
)
from janitor.state.item_tables import item_letters, item_snapshots

STEPS = 10
LETTERS, SNAPSHOTS = 1_000, 1_440
KINDS = 10
"""What has become of an item depends on the last digit of its number."""
DONE_BELOW, FAILED_AT, HALF_WAY = 7, 7, 8
HALF = 4
"""How many steps are done of those that are half-way."""
FAR = datetime(2100, 1, 1, tzinfo=timezone.utc)


def nothing(item: object) -> None:
    """Do nothing."""


def add_pipelines(scheduler: Scheduler, func: Callable[..., object] = nothing) -> list[Pipeline]:
    """Add both pipelines; `func` is the step of what waits."""
    steps = [Step(f"step_{n}", nothing, needs=[f"step_{n - 1}"] if n else ()) for n in range(STEPS)]
    return [scheduler.add_pipeline("settled", steps), scheduler.add_pipeline("waiting", [Step("take", func)])]


def fill(state: State, pipelines: list[Pipeline], number: int) -> None:
    """Give an empty state database `number` items of each pipeline: a multiple of ten."""
    began_at = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=number)
    with state.begin() as connection:
        for pipeline in pipelines:
            item_plans.save(connection, pipeline.plan)
        _count(connection, number)
        _keep_snapshots(connection, number)
        _keep_letters(connection)
    for first in range(0, number, CHUNK):
        # A statement may take ten seconds: each of these is far below.
        with state.begin() as connection:
            _fill_settled(connection, began_at, first, min(first + CHUNK, number), number)
            _fill_waiting(connection, began_at, first, min(first + CHUNK, number))


def state_of(step: int, kind: int) -> int:
    """The state of an item of `settled` at a step, by the last digit of its number."""
    if kind < DONE_BELOW:
        return DONE
    if kind == FAILED_AT:
        return BLOCKED if step else FAILED
    done = HALF if kind == HALF_WAY else 0
    return DONE if step < done else LATER if step == done else WAITING


def _fill_waiting(connection: Connection, began_at: datetime, first: int, after: int) -> None:
    at = _later(connection, began_at, "n")
    values = f"'waiting', {_joined(connection, "'w'", 'n')}, '{{}}', 0, {at}, {at}, {OPEN}, 'add', 1"
    _run(connection, f"INSERT INTO items ({_ITEM}) SELECT {values} FROM {_numbers(connection, first, after)}")
    values = f"id, 'take', 'waiting.take', {READY}, 0, order_at, '{NOT_PROCESSED}', order_at, 0, 0, 0"
    own = f"pipeline = 'waiting' AND order_at >= {_moment(began_at, first)} AND order_at < {_moment(began_at, after)}"
    _run(connection, f"INSERT INTO item_steps ({_STEP}) SELECT {values} FROM items WHERE {own}")


def _fill_settled(connection: Connection, began_at: datetime, first: int, after: int, number: int) -> None:
    """Its items have the ids from 1 on; those of `waiting` come in the gaps that are left, far above."""
    at, kind = _later(connection, began_at, "n"), f"(n % {KINDS})"
    item_state = _case(kind, [_item_state(one) for one in range(KINDS)])
    numbers = _numbers(connection, first, after)
    values = (
        f"n + 1, {_joined(connection, "'s'", 'n')}, 'settled', "
        f"{_joined(connection, "'{\"number\": '", 'n', "'}'")}, 0, {at}, {at}, {item_state}, "
        f"CASE WHEN {item_state} = {OPEN} THEN NULL ELSE {at} END, 'add', 1, "
        f"CASE WHEN n % 1000 = 0 THEN 'look at this' END, CASE WHEN n % 1000 = 0 THEN {at} END"
    )
    columns = "id, `key`, pipeline, args, priority, order_at, added_at, state, ended_at, origin, times, flag, flagged_at"
    _run(connection, f"INSERT INTO items ({columns}) SELECT {values} FROM {numbers}")
    # Item by item, as items come: so each page of the tables is written once.
    step = f"CASE s.k {' '.join(f'WHEN {k} THEN {_step_state(k, kind)}' for k in range(STEPS))} END"
    values = (
        f"n + 1, {_joined(connection, "'step_'", 's.k')}, {_joined(connection, "'settled.step_'", 's.k')}, {step}, 0, "
        f"CASE WHEN {step} = {LATER} THEN '{_written(FAR)}' ELSE {at} END, "
        f"CASE {step} WHEN {DONE} THEN '{PROCESSED}' WHEN {FAILED} THEN '{FAILURE}' ELSE '{NOT_PROCESSED}' END, "
        f"{at}, 1, 0, 1"
    )
    places = " UNION ALL ".join(f"SELECT {k} AS k" for k in range(STEPS))
    query = f"SELECT {values} FROM {numbers} CROSS JOIN ({places}) AS s ORDER BY n, s.k"
    _run(connection, f"INSERT INTO item_steps ({_STEP}) {query}")
    ended = f"CASE {_step_state(0, kind)} WHEN {DONE} THEN '{PROCESSED}' ELSE '{FAILURE}' END"
    columns = "item_id, step, run_id, started_at, seconds, status"
    _run(
        connection,
        f"INSERT INTO item_attempts ({columns}) SELECT n + 1, 'step_0', 1, {at}, 0.01, {ended} FROM {numbers}",
    )
    if after == number:
        _let_ids_go_on(connection, number)


_ITEM = "pipeline, `key`, args, priority, order_at, added_at, state, origin, times"
_STEP = "item_id, step, lane, state, `rank`, sort_at, status, since_at, tries, deaths, claims"
