"""Jobs without slots: when a run of one may begin."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from janitor.jobs.schedules import every, parse
from janitor.jobs.slots import next_slot
from janitor.jobs.with_work import WITH_WORK, Paced, Work

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_job_with_work_has_no_slots_and_may_begin_at_any_time() -> None:
    paced = Paced()
    assert str(paced) == WITH_WORK == "with work"
    assert next_slot(paced, NOON) is None and paced.pace is None
    assert paced.may_begin(NOON, NOON) and paced.may_begin(after(9), NOON)


@pytest.mark.parametrize(
    ("since", "now", "may"),
    [(0.5, 1.5, False), (0.5, 2.0, True), (0.5, 2.5, True), (2.0, 3.9, False), (2.0, 4.0, True), (0.5, 99.0, True)],
)
def test_with_a_pace_it_begins_at_its_moments_alone(since: float, now: float, may: bool) -> None:
    # Given moments at each even second.
    paced = Paced("every 2s", every(2))
    assert next_slot(paced, NOON) is None
    assert paced.may_begin(after(since), after(now)) is may


def test_a_moment_counts_in_its_zone() -> None:
    paced = Paced("cron 0 2 * * *", parse("cron 0 2 * * *", LONDON, "x"))
    before = datetime(2026, 7, 1, 1, 59, tzinfo=LONDON)
    assert not paced.may_begin(before - timedelta(hours=3), before)
    assert paced.may_begin(before, before + timedelta(minutes=1))
    assert not paced.may_begin(before + timedelta(minutes=1), before + timedelta(hours=23))


def test_a_schedule_with_an_end_has_no_moment_after_it() -> None:
    paced = Paced("at", parse("at 2026-07-01T12:00Z", UTC, "x"))
    assert paced.may_begin(after(-1), after(0)) and not paced.may_begin(after(1), after(10**8))


def test_work_says_what_a_job_works_on() -> None:
    assert Work("inbox", "p") == Work("inbox", "p", None) != Work("step", "p")
