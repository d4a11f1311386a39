"""Overdue: no success within twice the schedule, whatever the cause."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from apscheduler.triggers.base import BaseTrigger

from janitor.engine import overdue
from janitor.jobs import Job, schedules
from janitor.state import State, actions, job_records
from tests.small_engine import DATABASES, empty_state, job_of, migrated, remember, remember_run

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("schedule", "last", "seconds", "expected"),
    [
        ("every 5m", NOON + timedelta(seconds=30), 30, NOON + timedelta(minutes=10, seconds=35)),
        ("every 5m", NOON + timedelta(minutes=7), 420, NOON + timedelta(minutes=22, seconds=5)),
        ("cron 0 1 * * *", NOON.replace(hour=1, minute=4), 240, NOON.replace(day=4, hour=1, minute=4, second=5)),
        ("cron 0 9 * * mon-fri", NOON.replace(day=6), 60, NOON.replace(day=10, hour=9, minute=1, second=5)),
    ],
)
def test_a_job_is_overdue_when_two_slots_brought_nothing(
    schedule: str, last: datetime, seconds: float, expected: datetime
) -> None:
    trigger = schedules.parse(schedule, timezone.utc, "X")
    assert overdue.overdue_at(trigger, last, seconds) == expected


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = migrated(empty_state(request, tmp_path))
    yield made
    made.close()


def found(state: State, now: datetime, *jobs: Job) -> dict[str, datetime]:
    with state.read() as connection:
        return overdue.of_jobs(connection, jobs or [job_of(print)], now)


def test_only_a_success_counts_whatever_else_happens(state: State) -> None:
    remember(state, "task", NOON - timedelta(days=9))
    remember(state, "another", NOON)
    for hours, outcome, dry in (
        (0, "succeeded", False),
        (1, "failed", False),
        (2, "missed", False),
        (2, "succeeded", True),
    ):
        slot_at = NOON + timedelta(hours=hours, minutes=dry)
        ended_at = slot_at + timedelta(seconds=20)
        remember_run(state, "task", slot_at, outcome, ended_at=ended_at, seconds=20.0, dry_run=dry)
    remember_run(state, "another", NOON + timedelta(hours=3), ended_at=NOON + timedelta(hours=3), seconds=0.1)
    at = NOON + timedelta(hours=2, seconds=25)
    assert found(state, at - timedelta(seconds=1)) == {}
    assert found(state, at) == {"task": at}
    remember_run(state, "task", NOON + timedelta(hours=3), ended_at=NOON + timedelta(hours=3), seconds=1.0)
    assert found(state, NOON + timedelta(hours=4)) == {}


def test_a_run_that_found_nothing_to_do_is_a_sign_of_life(state: State) -> None:
    remember(state, "task", NOON)
    remember_run(state, "task", NOON, ended_at=NOON + timedelta(seconds=20), seconds=20.0)
    for hours, outcome, dry, attempts in (
        (1, "skipped", False, 1),
        (2, "failed", False, 1),
        (3, "skipped", True, 1),
        (4, "skipped", False, 0),
        (5, "skipped", False, 0),
    ):
        at = NOON + timedelta(hours=hours, minutes=dry)
        more = {"ended_at": at + timedelta(seconds=3), "seconds": 3.0, "dry_run": dry, "attempts": attempts}
        remember_run(state, "task", at, outcome, **more)
    at = NOON + timedelta(hours=3, seconds=25)
    assert found(state, at - timedelta(seconds=1)) == {}
    assert found(state, NOON + timedelta(hours=5)) == {"task": at}


def test_a_job_whose_runs_all_skip_is_not_overdue(state: State) -> None:
    remember(state, "task", NOON - timedelta(days=9))
    remember_run(state, "task", NOON, "skipped", ended_at=NOON, seconds=0.1)
    assert found(state, NOON + timedelta(hours=2)) == {}
    assert found(state, NOON + timedelta(hours=3)) == {"task": NOON + timedelta(hours=2, seconds=5)}


def test_a_job_that_never_succeeded_counts_from_its_first_day(state: State) -> None:
    remember(state, "task", NOON + timedelta(minutes=1))
    remember(state, "off", NOON)
    off = replace(job_of(print, id="off"), disabled_because="OFF_ENABLED=false")
    new = job_of(print, id="never_started_yet")
    at = NOON + timedelta(hours=2, seconds=5)
    assert found(state, at - timedelta(seconds=1), job_of(print), off, new) == {}
    assert found(state, NOON + timedelta(days=9), job_of(print), off, new) == {"task": at}


def test_a_paused_job_is_not_overdue_nor_one_just_resumed(state: State) -> None:
    remember(state, "task", NOON - timedelta(days=9))
    late = NOON + timedelta(days=2)
    with state.begin() as connection:
        job_records.pause(connection, "task", "every 1h", NOON, "anna")
    assert found(state, late) == {}
    with state.begin() as connection:
        job_records.resume(connection, "task")
        actions.record(connection, "anna", "resumed", "task", "", late)
    assert found(state, late + timedelta(minutes=1)) == {}
    assert found(state, late + timedelta(hours=3)) == {"task": late + timedelta(hours=2, seconds=5)}


class Failing(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A job's own trigger, that cannot tell its slots."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        raise OSError("the calendar of holidays is away")


def test_a_trigger_that_raises_makes_no_job_overdue() -> None:
    assert overdue.overdue_at(Failing(), NOON, 0.0) is None
