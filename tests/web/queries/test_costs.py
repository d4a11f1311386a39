"""What a page costs does not grow with the history: counted in steps of the database, not in seconds."""

import functools
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from janitor.scheduler import Scheduler
from janitor.state import State, job_records
from janitor.web.queries.graph import graph_of
from janitor.web.queries.history import Filter, action_list, history_of, run_list
from janitor.web.queries.jobs import job_page
from janitor.web.queries.logs import log_of
from janitor.web.queries.overview import overview_of
from janitor.web.queries.runs import run_page
from tests.small_engine import empty_state, migrated, settings_for
from tests.web.queries.past import all_lines

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
JOBS = [f"job_{number:02}" for number in range(20)]
COLUMNS = (
    "job, origin, slot_at, slot_until_at, slots, outcome, started_at, ended_at, seconds, attempts, dry_run, counts"
)
VALUES = """
{name}, CASE WHEN {by_hand} THEN 'by_hand' ELSE 'schedule' END, CASE WHEN {by_hand} THEN NULL ELSE {at} END, {at}, 1,
CASE WHEN n % 13 = 0 THEN 'failed' WHEN n % 1009 = 0 THEN 'interrupted' ELSE 'succeeded' END, {at}, {at}, 1, 1, 0,
'{{"published": 2, "inserted": 0}}', 'lab|boot|ns|1|1|x' FROM
"""
BY_HAND = "n % 47 = 0 AND n > :count - 941"
SIZES: dict[str, tuple[int, int]] = {"sqlite": (4_000, 40_000), "mariadb": (2_000, 20_000)}
MOST = 1.3
"""How many times as much a query may cost with ten times as many runs: an index grows in depth."""


def fill(state: State, kind: str, count: int) -> None:
    """Let each of 20 jobs have run once an hour, until there are so many runs in all."""
    if kind == "sqlite":
        name, at = (
            "printf('job_%02d', n % 20)",
            "datetime(:now, '-' || ((:count - 1 - n) / 20) || ' hours') || '.000000'",
        )
        series = (
            "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < :count - 1) SELECT n FROM s)"
        )
    else:
        name = "CONCAT('job_', LPAD(n % 20, 2, '0'))"
        at = "CAST(:now AS DATETIME) - INTERVAL (:count - 1 - n) DIV 20 HOUR"
        series = f"(SELECT seq AS n FROM seq_0_to_{count - 1}) AS s"
    with state.begin() as connection:
        statement = text(
            f"INSERT INTO runs ({COLUMNS}, holder) SELECT {VALUES.format(name=name, at=at, by_hand=BY_HAND)} {series}"
        )
        connection.execute(statement, {"count": count, "now": f"{NOW:%Y-%m-%d %H:%M:%S}"})
        job_records.remember(connection, dict.fromkeys(JOBS, ("every 1h", True)), NOW - timedelta(days=300))
        if kind == "mariadb":
            # It does so by itself, some seconds later.
            connection.execute(text("ANALYZE TABLE runs"))


def sqlite_steps(connection: Connection, ask: Callable[[], object]) -> int:
    """How many hundreds of instructions SQLite takes for it."""
    driver: Any = connection.connection.driver_connection
    steps = itertools.count()
    driver.set_progress_handler(lambda: next(steps) < 0, 100)
    ask()
    return next(steps)


def mariadb_rows(connection: Connection, ask: Callable[[], object]) -> int:
    """How many rows and entries of indexes the server reads for it."""

    def read() -> int:
        return sum(int(count) for _, count in connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'")))

    before = read()
    ask()
    return read() - before


def costs(state: State, kind: str, scheduler: Scheduler) -> dict[str, int]:
    """What each question costs, by its name."""
    jobs, lately = scheduler.jobs, NOW - timedelta(hours=3)
    steps = sqlite_steps if kind == "sqlite" else mariadb_rows
    asked: dict[str, Callable[[Connection], object]] = {
        "jobs": lambda c: all_lines(c, jobs, NOW),
        "job": lambda c: job_page(c, jobs, jobs["job_07"], scheduler.settings, NOW),
        "overview": lambda c: overview_of(c, jobs, NOW),
        "history": lambda c: history_of(c, jobs, Filter(), 50),
        "history of a job": lambda c: history_of(c, jobs, Filter("job_07"), 50),
        "history before": lambda c: history_of(c, jobs, Filter(), 50, "900.9"),
        "history since": lambda c: history_of(c, jobs, Filter(since=lately), 50),
        "runs that succeeded": lambda c: run_list(c, jobs, Filter(outcome="succeeded"), 50),
        "runs that failed": lambda c: run_list(c, jobs, Filter(outcome="failed"), 5),
        "runs cancelled": lambda c: run_list(c, jobs, Filter(outcome="cancelled"), 50),
        "runs running": lambda c: run_list(c, jobs, Filter(outcome="running"), 50),
        "runs of a job that succeeded": lambda c: run_list(c, jobs, Filter("job_07", "succeeded"), 50),
        "runs by hand": lambda c: run_list(c, jobs, Filter(origin="by_hand"), 2),
        "graph": lambda c: graph_of(c, jobs),
        "run": lambda c: run_page(c, 777, NOW),
        "log": lambda c: log_of(c, 777),
        "actions": lambda c: action_list(c, Filter("job_07"), 50),
    }
    with state.read() as connection:
        return {name: steps(connection, functools.partial(ask, connection)) for name, ask in asked.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SIZES)
def test_no_question_costs_more_in_a_longer_history(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    request.param = kind
    found = []
    for count in SIZES[kind]:
        state = migrated(empty_state(request, tmp_path))
        fill(state, kind, count)
        scheduler = Scheduler(settings_for(state.url, tmp_path))
        for name in JOBS:
            scheduler.add_job(print, "interval", hours=1, id=name, dependencies=JOBS[:1] if name != JOBS[0] else ())
        found.append(costs(state, kind, scheduler))
        state.close()
    few, many = found
    assert {name: (few[name], cost) for name, cost in many.items() if cost > few[name] * MOST + 10} == {}
