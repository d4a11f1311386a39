"""The timeline: all that reached into the day, in few bars."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from janitor.state import State
from janitor.state.tables import runs
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
