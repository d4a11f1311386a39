"""The timeline: all that reached into the day, in few bars."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from janitor.state import State
from janitor.state.tables import runs
from tests.small_engine import job_of
from tests.web.queries.day import HOUR, NOW, look
from tests.web.queries.past import MINUTE, NOON, add


def test_a_timeline_shows_all_that_reached_into_the_day(state: State) -> None:
    since = (NOW - NOON) / MINUTE - 24 * 60
    add(state, "a", since - 30)
    reaches = add(state, "a", since - 20, ended_at=NOW - 24 * HOUR + MINUTE)
    lost = add(state, "a", since - 3000, "missed", slots=50, ended_at=NOW - 2 * HOUR, attempts=0)
    live = add(state, "b", 0, None)
    gone = add(state, "gone", 5, "failed")
    found = look(state)
    rows = {row.job: row.bars for row in found.timeline}
    assert {job: sorted(bar.run for bar in bars) for job, bars in rows.items()} == {
        "a": [reaches, lost], "b": [live], "gone": [gone]
    }  # fmt: skip
    assert list(rows)[:2] == ["a", "b"]
    [bar] = rows["b"]
    assert (bar.outcome, bar.started_at, bar.ended_at) == ("running", NOON, NOW)
    assert [going.id for going in found.running] == [live]
    assert found.conditions == {"fine": 1, "running": 1}


def ended(job: str, at: datetime, outcome: str) -> dict[str, object]:
    """A run of 20 seconds."""
    fields = {"job": job, "origin": "schedule", "slots": 1, "outcome": outcome, "started_at": at, "attempts": 1}
    return fields | {"ended_at": at + timedelta(seconds=20), "seconds": 20.0, "dry_run": False, "holder": "x"}


@pytest.mark.slow
def test_a_busy_day_is_merged_into_few_bars(state: State) -> None:
    def row(number: int) -> dict[str, object]:
        outcome = {7: "failed", 8: "skipped", 30: "timed_out"}.get(number, "succeeded")
        return ended("a", NOW - 23 * HOUR + number * timedelta(seconds=30), outcome)

    rows = [row(number) for number in range(2_400)]
    with state.begin() as connection:
        connection.execute(insert(runs), rows)
    live = add(state, "b", 17 * 60, None)
    found = look(state)
    a, b = found.timeline
    first, second, others = a.bars
    assert (first.outcome, first.runs, first.counted) == ("failed", 20, {"succeeded": 18, "failed": 1, "skipped": 1})
    assert (first.started_at, first.ended_at) == (NOW - 23 * HOUR, rows[19]["ended_at"])
    assert (second.outcome, second.counted) == ("timed_out", {"succeeded": 19, "timed_out": 1})
    assert (others.outcome, others.runs, others.ended_at) == ("succeeded", 2_360, rows[-1]["ended_at"])
    assert [(bar.outcome, bar.run, bar.ended_at) for bar in b.bars] == [("running", live, NOW)]
    with state.begin() as connection:
        connection.execute(insert(runs), [row(2_400)])
    assert sum(bar.runs for bar in look(state, NOW + timedelta(seconds=10)).timeline[0].bars) == 2_400
    assert sum(bar.runs for bar in look(state, NOW + timedelta(seconds=16)).timeline[0].bars) == 2_401


def test_many_bars_become_few_and_a_failure_keeps_its_place(state: State) -> None:
    # Given a job that ran every five minutes of a day, and failed twice; and a job whose runs fail by turns.
    # What happens: the day is looked at.
    # What must hold: neighbours that succeeded are one bar, each failure is one; what alternates is merged by time. No
    # run is left out.
    begin = NOW - 23 * HOUR
    failed = {"a": (100, 101, 200), "b": range(1, 270, 2)}
    rows = [
        ended(job, begin + number * 5 * MINUTE, "failed" if number in failed[job] else "succeeded")
        for number in range(270)
        for job in failed
    ]
    with state.begin() as connection:
        connection.execute(insert(runs), rows)
    a, b = (row.bars for row in look(state).timeline)
    assert [(bar.outcome, bar.runs) for bar in a] == [
        ("succeeded", 100), ("failed", 2), ("succeeded", 98), ("failed", 1), ("succeeded", 69)
    ]  # fmt: skip
    assert (a[1].started_at, a[1].ended_at) == (begin + 500 * MINUTE, begin + 505 * MINUTE + timedelta(seconds=20))
    assert 40 < len(b) <= 50 and {bar.outcome for bar in b} == {"failed"}
    assert sum(bar.runs for bar in b) == 270 and sum(bar.counted["failed"] for bar in b) == 135


def test_of_many_jobs_those_in_trouble_are_shown_first(state: State) -> None:
    # Given 30 jobs, all of which have run once, in the order of their names; one fails, one runs.
    # What happens: the day is looked at.
    # What must hold: 20 jobs are shown, in the order of the list; these two are among them, and the last to run.
    jobs = {f"job_{number:02}": job_of(print, id=f"job_{number:02}") for number in range(30)}
    outcomes = {"job_03": "failed", "job_05": None}
    for number, name in enumerate(jobs):
        add(state, name, number, outcomes.get(name, "succeeded"))
    found = look(state, jobs=jobs)
    assert [row.job for row in found.timeline] == ["job_03", "job_05", *list(jobs)[12:]]
    assert [len(row.bars) for row in found.timeline] == [1] * 20
    assert sum(found.conditions.values()) == 30
