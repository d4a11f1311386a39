"""The last 24 hours: a timeline that stays small, what each hour brought, what people were told."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from janitor.jobs import Job
from janitor.state import State
from janitor.state.tables import deliveries, notices, runs
from janitor.web.queries import models, overview
from tests.small_engine import DATABASES, empty_state, job_of, migrated
from tests.web.queries.test_jobs import MINUTE, NOON, add, ask

HOUR = 60 * MINUTE
NOW = NOON + 18.5 * HOUR
JOBS = {id: job_of(print, id=id) for id in ("a", "b")}


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = migrated(empty_state(request, tmp_path))
    yield made
    made.close()


def look(state: State, now: datetime = NOW, jobs: dict[str, Job] = JOBS) -> models.Overview:
    found: models.Overview = ask(state, overview.overview, jobs, now)
    return found


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


@pytest.mark.slow
def test_a_busy_day_is_merged_into_few_bars(state: State) -> None:
    def row(number: int) -> dict[str, object]:
        at = NOW - 23 * HOUR + number * timedelta(seconds=30)
        outcome = {7: "failed", 8: "skipped", 30: "timed_out"}.get(number, "succeeded")
        fields = {"job": "a", "origin": "schedule", "slots": 1, "outcome": outcome, "started_at": at, "attempts": 1}
        return fields | {"ended_at": at + timedelta(seconds=20), "seconds": 20.0, "dry_run": False, "holder": "x"}

    rows = [row(number) for number in range(2_400)]
    with state.begin() as connection:
        connection.execute(insert(runs), rows)
    live = add(state, "b", 17 * 60, None)
    found = look(state)
    a, b = found.timeline
    assert len(a.bars) == 120 and sum(bar.runs for bar in a.bars) == 2_400
    first, second = a.bars[:2]
    assert (first.outcome, first.runs, first.counted) == ("failed", 20, {"succeeded": 18, "failed": 1, "skipped": 1})
    assert (first.started_at, first.ended_at) == (NOW - 23 * HOUR, rows[19]["ended_at"])
    assert (second.outcome, second.counted) == ("timed_out", {"succeeded": 19, "timed_out": 1})
    assert [(bar.outcome, bar.run, bar.ended_at) for bar in b.bars] == [("running", live, NOW)]
    with state.begin() as connection:
        connection.execute(insert(runs), [row(2_400)])
    assert sum(bar.runs for bar in look(state, NOW + timedelta(seconds=10)).timeline[0].bars) == 2_400
    assert sum(bar.runs for bar in look(state, NOW + timedelta(seconds=16)).timeline[0].bars) == 2_401


def test_each_hour_tells_what_runs_did(state: State) -> None:
    def counted(minute: float, dry_run: bool = False, **counts: object) -> None:
        add(state, "a", minute, counts=json.dumps(counts), dry_run=dry_run)

    counted(0, published=7, unchanged=100)
    counted(1, inserted=2, updated=3, deleted=10, repaired=0)
    counted(59.9, repaired=40)
    counted(61, published=900, dry_run=True)
    counted(62, published=float("nan"), inserted=5)
    counted(63, inserted="many", published=10)
    add(state, "a", 64)
    found = look(state).hours
    assert (found[0].at, found[-1].at) == (NOON - 6 * HOUR, NOON + 18 * HOUR) and len(found) == 25
    told = {(hour.at - NOON) // HOUR: (hour.published, hour.rows) for hour in found if hour.published or hour.rows}
    assert told == {0: (7, 15), 1: (10, 40)}


def test_what_failed_within_the_day_is_listed(state: State) -> None:
    add(state, "a", -8 * 60, "failed")
    ids = [add(state, "ab"[minute % 2], minute, ("failed", "timed_out")[minute % 3 > 0]) for minute in range(25)]
    add(state, "a", 30)
    assert [line.id for line in look(state).failed] == ids[:4:-1]


def test_what_people_were_told_is_listed(state: State) -> None:
    notice = {"rule": "failed", "run_id": None, "text": "it failed", "told_at": NOON}
    with state.begin() as connection:
        for job, ended_at in (("a", None), ("b", None), ("a", NOON)):
            connection.execute(insert(notices).values(notice | {"job": job, "began_at": NOON, "ended_at": ended_at}))
        ids = list(connection.execute(notices.select().order_by(notices.c.id)).scalars())
        for tries, outcome in ((0, None), (2, None), (5, "given_up"), (1, "delivered")):
            values = {"notice_id": ids[0], "channel": "email", "kind": "began", "content": "{}", "added_at": NOON}
            values |= {"due_at": NOON, "tries": tries, "outcome": outcome, "reason": "no route"}
            connection.execute(insert(deliveries).values(values))
    found = look(state)
    assert [(line.id, line.job) for line in found.notices] == [(ids[0], "a"), (ids[1], "b")]
    assert [line.tries for line in found.undelivered] == [2, 5]
    of_a: models.NoticeList = ask(state, overview.notices_of, "a")
    assert ([line.id for line in of_a.open], [line.id for line in of_a.ended]) == ([ids[0]], [ids[2]])
