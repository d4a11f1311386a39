"""A job's line: its condition, its strip, its cursor."""

import json
from datetime import timedelta

from janitor.feeds import Position
from janitor.items import Step
from janitor.state import State, cursors, job_records, quarantine
from janitor.state.quarantine import Quarantined
from tests.small_engine import remember
from tests.web.queries.past import MINUTE, NOON, add, all_lines, ask, clock


def test_jobs_are_listed_with_what_is_wrong_first(state: State) -> None:
    names = ("fine", "failing", "late", "paused", "off", "going", "new")
    scheduler = clock(state, *names, OFF_ENABLED="false")
    for name in names:
        remember(state, name, NOON + (20 if name == "new" else -60) * MINUTE, name != "off")
    with state.begin() as connection:
        job_records.pause(connection, "paused", "every 10m", NOON, "anna")
        quarantine.put(
            connection, "fine", [Quarantined("a", "no user", "1"), Quarantined("a", "no user", "2")], NOON, 1
        )
    add(state, "late", -30)
    for minute, outcome in ((12, "succeeded"), (14, "failed"), (20, "skipped"), (25, "timed_out")):
        add(state, "failing", minute, outcome)
    add(state, "fine", 12)
    add(state, "fine", 13, "failed", dry_run=True)
    add(state, "going", 10)
    live = add(state, "going", 20, None, progress=json.dumps({"": {"done": 1, "total": 4}}), stop_asked_by="bert")
    found = {line.id: line for line in ask(state, all_lines, scheduler.jobs, NOON + 26 * MINUTE)}
    assert list(found) == ["late", "failing", "fine", "paused", "off", "going", "new"]
    assert [line.condition for line in found.values()] == [
        "overdue", "failing", "fine", "paused", "disabled", "running", "new"
    ]  # fmt: skip
    assert found["late"].overdue_since == NOON - 10 * MINUTE + timedelta(seconds=35)
    assert found["failing"].failures == 2 and found["fine"].failures == 0
    assert found["failing"].last_success_at == NOON + 12.5 * MINUTE
    assert found["failing"].last is not None and found["failing"].last.outcome == "timed_out"
    assert [bar.outcome for bar in found["failing"].strip] == ["succeeded", "failed", "skipped", "timed_out"]
    assert (found["paused"].paused_by, found["paused"].next_run_at) == ("anna", None)
    assert (found["off"].disabled_because, found["off"].next_run_at) == ("OFF_ENABLED=false", None)
    assert found["new"].next_run_at == NOON + 30 * MINUTE
    going = found["going"].running
    assert going is not None and (going.id, going.seconds, going.stop_asked_by) == (live, 360.0, "bert")
    assert going.progress is not None and going.progress.share == 0.25
    assert found["fine"].quarantined == 1 and found["late"].quarantined == 0
    assert found["fine"].title == "Sweep the floor." and found["fine"].schedule_text == "every 10 minutes"


def test_a_strip_holds_the_last_thirty_runs(state: State) -> None:
    scheduler = clock(state, "a", "b")
    for minute in range(35):
        add(state, "a", minute, "failed" if minute < 6 else "succeeded", seconds=float(minute))
        add(state, "b", minute + 0.5, None if minute == 34 else "failed")
    a, b = sorted(ask(state, all_lines, scheduler.jobs, NOON + 36 * MINUTE), key=lambda line: line.id)
    assert [bar.seconds for bar in a.strip] == [float(minute) for minute in range(5, 35)]
    assert (a.strip[0].outcome, a.strip[1].outcome) == ("failed", "succeeded")
    assert (b.strip[-1].outcome, b.strip[-1].seconds, b.failures) == ("running", None, 29)
    assert b.last is not None and b.last.started_at == NOON + 33.5 * MINUTE


def test_a_cursor_tells_how_far_behind_it_is(state: State) -> None:
    scheduler = clock(state, "follow", "other", "own")
    position = Position(mark=10).take([12, 15], 1.0)
    with state.begin() as connection:
        cursors.save(connection, "follow", position.dump(), NOON, 1)
        cursors.save(connection, "own", "page 7", NOON, 1)
    remember(state, "follow", NOON)
    add(state, "follow", 5)
    add(state, "follow", 6, "failed")
    add(state, "follow", 7, dry_run=True)
    now = NOON + 8 * MINUTE
    found = {line.id: line.cursor for line in ask(state, all_lines, scheduler.jobs, now)}
    assert found["other"] is None
    cursor = found["follow"]
    assert (cursor.top, cursor.settled, cursor.taken_above, cursor.gaps) == (15, 10, 2, 3)
    assert (cursor.moved_at, cursor.read_at, cursor.lag_seconds) == (NOON, NOON + 5 * MINUTE, 180.0)
    assert "up to id 15" in cursor.text
    assert (found["own"].top, found["own"].lag_seconds, found["own"].text) == (
        None, None, "own has a cursor of its own kind"
    )  # fmt: skip


def test_a_job_of_a_pipeline_runs_whenever_there_is_work(state: State) -> None:
    scheduler = clock(state, "alone")
    scheduler.add_pipeline("parcels", [Step("weigh", print), Step("send", print, schedule="every 5m")])
    found = {line.id: line for line in ask(state, all_lines, scheduler.jobs, NOON)}
    told = {id: (line.pipeline, line.schedule_text, line.next_run_at is None) for id, line in found.items()}
    assert told == {
        "alone": (None, "every 10 minutes", False),
        "parcels.weigh": ("parcels", "whenever there is work", True),
        "parcels.send": ("parcels", "every 5 minutes, if there is work", True),
    }
