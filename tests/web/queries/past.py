"""A past for queries: a clock with jobs, runs at minutes after noon, and questions."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from janitor.jobs import Job
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State
from janitor.state.tables import runs
from janitor.web.queries import models
from janitor.web.queries.jobs import job_lines, job_order
from tests.small_engine import settings_for

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)

MINUTE = timedelta(minutes=1)


def sweep(settings: Settings) -> None:
    """Sweep the floor. It is done
    with a broom.

        As far as the wall.
    """


def clock(state: State, *ids: str, **variables: str) -> Scheduler:
    """A clock with jobs of every ten minutes."""
    scheduler = Scheduler(settings_for(state.url, Path("."), **variables))
    for id in ids:
        scheduler.add_job(partial(sweep, scheduler.settings), "interval", minutes=10, id=id)
    return scheduler


def add(state: State, job: str, minute: float, outcome: str | None = "succeeded", **more: Any) -> int:
    """Put a run into the history that began so many minutes after noon and took half a minute; its id."""
    at = NOON + minute * MINUTE
    values = {
        "job": job,
        "origin": "schedule",
        "slot_at": at,
        "slot_until_at": at,
        "slots": 1,
        "outcome": outcome,
        "started_at": at,
        "attempts": 1,
        "dry_run": False,
        "holder": "lab-1|boot|ns|4711|1|x",
        "ended_at": None if outcome is None else at + MINUTE / 2,
        "seconds": None if outcome is None else 30.0,
    }
    with state.begin() as connection:
        made = connection.execute(insert(runs).values(values | more)).inserted_primary_key
    return int(made[0]) if made else 0


def ask(state: State, question: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Ask a function of a connection."""
    with state.read() as connection:
        return question(connection, *arguments, **more)


def all_lines(connection: Connection, all_jobs: Mapping[str, Job], now: datetime) -> list[models.JobLine]:
    """The line of every job, in the order of a list."""
    order = job_order(connection, all_jobs, now)
    return job_lines(connection, all_jobs, order, list(order.conditions))
