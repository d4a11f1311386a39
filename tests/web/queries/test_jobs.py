"""What the dashboard knows: each job's state, histories in pages, runs, quarantine, settings."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, insert

from janitor.errors import BadSetting
from janitor.feeds import Position
from janitor.needs import DatabaseNeed, ExchangeNeed
from janitor.runs import Outcome
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, actions, cursors, job_records, log_lines, quarantine
from janitor.state.log_lines import LogLine
from janitor.state.quarantine import Quarantined
from janitor.state.run_records import Attempt, add_attempts
from janitor.state.tables import runs
from janitor.web.queries import job_settings, jobs, models
from tests.small_engine import DATABASES, empty_state, migrated, remember, settings_for

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def sweep(settings: Settings) -> None:
    """Sweep the floor. It is done
    with a broom.

        As far as the wall.
    """


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = migrated(empty_state(request, tmp_path))
    yield made
    made.close()


def clock(state: State, *ids: str, **variables: str) -> Scheduler:
    """A clock with jobs of every ten minutes."""
    scheduler = Scheduler(settings_for(state.url, Path("."), **variables))
    for id in ids:
        scheduler.add_job(partial(sweep, scheduler.settings), "interval", minutes=10, id=id)
    return scheduler


def add(state: State, job: str, minute: float, outcome: str | None = "succeeded", **more: Any) -> int:
    """Put a run into the history that began so many minutes after noon and took half a minute; its id."""
    at = NOON + minute * MINUTE
    values = {"job": job, "origin": "schedule", "slot_at": at, "slot_until_at": at, "slots": 1, "outcome": outcome}
    values |= {"started_at": at, "attempts": 1, "dry_run": False, "holder": "lab-1|boot|ns|4711|1|x"}
    if outcome is not None:
        values |= {"ended_at": at + MINUTE / 2, "seconds": 30.0}
    with state.begin() as connection:
        made = connection.execute(insert(runs).values(values | more)).inserted_primary_key
    return int(made[0]) if made else 0


def ask(state: State, question: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Ask a function of a connection."""
    with state.read() as connection:
        return question(connection, *arguments, **more)


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
    found = {line.id: line for line in ask(state, jobs.jobs, scheduler.jobs, NOON + 26 * MINUTE)}
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
    a, b = sorted(ask(state, jobs.jobs, scheduler.jobs, NOON + 36 * MINUTE), key=lambda line: line.id)
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
    found = {line.id: line.cursor for line in ask(state, jobs.jobs, scheduler.jobs, now)}
    assert found["other"] is None
    cursor = found["follow"]
    assert (cursor.top, cursor.settled, cursor.taken_above, cursor.gaps) == (15, 10, 2, 3)
    assert (cursor.moved_at, cursor.read_at, cursor.lag_seconds) == (NOON, NOON + 5 * MINUTE, 180.0)
    assert "up to id 15" in cursor.text
    assert (found["own"].top, found["own"].lag_seconds, found["own"].text) == (
        None, None, "own has a cursor of its own kind"
    )  # fmt: skip


def test_a_job_s_page_has_its_words_slots_and_charts(state: State) -> None:
    scheduler = clock(state, "sweep", "sweep_reconcile")
    counts = {"inserted": 2, "updated": 3, "unchanged": 9, "published": 7, "note": "x", "share": float("nan")}
    add(state, "sweep", 0, counts=json.dumps(counts))
    add(state, "sweep", 10, "skipped", attempts=0)
    add(state, "sweep", 20, None)
    page = ask(state, jobs.job, scheduler.jobs, scheduler.jobs["sweep"], scheduler.settings, NOON + 26 * MINUTE)
    assert page.docstring == "Sweep the floor. It is done\nwith a broom.\n\n    As far as the wall."
    assert page.next_runs == [NOON + minutes * MINUTE for minutes in (30, 40, 50, 60, 70)]
    [point] = page.points
    assert (point.rows, point.published, point.seconds) == (5, 7, 30.0)
    assert point.counts == {"inserted": 2, "updated": 3, "unchanged": 9, "published": 7}
    assert (page.timeout_seconds, page.retries, page.catch_up, page.isolation) == (3600, 0, "last", "thread")


def test_settings_in_force_hold_no_secret(tmp_path: Path) -> None:
    variables = {"MLWH_DATABASE_URL": "mysql+pymysql://anna:s3cret-word@db:3307/mlwh", "RABBITMQ_HOST": "mq"}
    variables |= {"RABBITMQ_PASSWORD": "s3cr", "LABWARE_LOCATION_DELETE_ORPHANS": "true"}
    settings = settings_for(URL.create("sqlite", database=str(tmp_path / "x.db")), tmp_path, **variables)
    scheduler = Scheduler(settings)
    needs = (DatabaseNeed("MLWH_DATABASE_URL"), ExchangeNeed("SEQUENCING_PUBLISHER_EXCHANGE"))
    for id in ("labware_location", "labware_location_reconcile"):
        scheduler.add_job(sweep, "interval", hours=1, args=[settings], id=id, needs=needs)
    lines = job_settings.in_force(scheduler.jobs["labware_location_reconcile"], scheduler.jobs, settings)
    shown = {line.name: (line.value, line.given) for line in lines}
    assert shown["MLWH_DATABASE_URL"] == ("db:3307/mlwh", True)
    assert shown["RABBITMQ_PASSWORD"] == ("***", True) and shown["RABBITMQ_PORT"] == ("5672", False)
    assert shown["LABWARE_LOCATION_DELETE_ORPHANS"] == ("true", True)
    assert shown["LABWARE_LOCATION_RECONCILE_SCHEDULE"] == ("every 1h", False)
    assert "SEQUENCING_PUBLISHER_SINCE" not in shown
    assert "s3cr" not in str(lines)


def test_pages_of_a_history_hold_each_line_once(state: State) -> None:
    scheduler = clock(state, "a", "b")
    for minute in range(12):
        add(state, "ab"[minute % 2], minute, "failed" if minute in (3, 4) else "succeeded")
    with state.begin() as connection:
        for done_at, job in ((0.5, "a"), (5.5, None), (5.6, "b"), (20, "a")):
            actions.record(connection, "anna", "paused", job, "", NOON + done_at * MINUTE)

    def pages(wanted: jobs.Filter, limit: int) -> list[tuple[float, str]]:
        lines, before = list[tuple[float, str]](), None
        while True:
            page: models.History = ask(state, jobs.history, scheduler.jobs, wanted, limit, before)
            assert len(page.events) <= limit
            lines += [((event.at - NOON) / MINUTE, "run" if event.run else "action") for event in page.events]
            if (before := page.next) is None:
                return lines

    everything: list[tuple[float, str]] = [
        (20.0, "action"),
        *((float(minute), "run") for minute in range(11, 5, -1)),
        (5.6, "action"),
    ]
    everything += [
        (5.5, "action"),
        *((float(minute), "run") for minute in range(5, 0, -1)),
        (0.5, "action"),
        (0.0, "run"),
    ]
    for limit in (1, 3, 50):
        assert pages(jobs.Filter(), limit) == everything
    assert pages(jobs.Filter("b"), 2) == [line for line in everything if line[0] in (1, 3, 5, 5.6, 7, 9, 11)]
    assert pages(jobs.Filter(outcome="failed"), 1) == [(4.0, "run"), (3.0, "run")]
    since, until = NOON + 3 * MINUTE, NOON + 5.6 * MINUTE
    within = [line for line in everything if 3 <= line[0] < 5.6]
    assert pages(jobs.Filter(since=since, until=until), 2) == within
    assert pages(jobs.Filter("a", "succeeded", "schedule", since, until), 5) == []
    assert pages(jobs.Filter("a", "failed", "schedule", since, until), 5) == [(4.0, "run")]
    with pytest.raises(BadSetting, match="before is 'x'"):
        ask(state, jobs.history, scheduler.jobs, jobs.Filter(), 5, "x")


def test_lists_of_runs_are_narrowed_and_paged(state: State) -> None:
    scheduler = clock(state, "a", "b")
    ids = [add(state, "ab"[minute % 2], minute, "failed" if minute % 3 else "succeeded") for minute in range(9)]
    by_hand = add(state, "gone", 10, "failed", origin="by_hand", slot_at=None)
    live = add(state, "a", 11, None)
    remember(state, "gone", NOON)

    def listed(*narrowed: Any, limit: int = 50, before: int | None = None) -> tuple[list[int], int | None]:
        found = ask(state, jobs.listed, scheduler.jobs, jobs.Filter(*narrowed), limit, before)
        return [line.id for line in found.runs], found.next_before

    failed = [by_hand, *(ids[minute] for minute in (8, 7, 5, 4, 2, 1))]
    assert listed(None, "failed") == (failed, None)
    assert listed(None, "failed", limit=3) == (failed[:3], failed[2])
    assert listed(None, "failed", limit=4, before=failed[2]) == (failed[3:], None)
    assert listed("b", "failed", limit=2) == ([ids[7], ids[5]], ids[5])
    assert listed(None, "running") == ([live], None)
    assert listed(None, None, "by_hand") == ([by_hand], None)
    assert listed(None, "failed", "by_hand") == ([by_hand], None)
    assert listed(None, "missed") == ([], None)


def test_a_run_is_shown_with_all_that_is_known(state: State) -> None:
    told = {
        "/odd//": {"done": "many", "total": 0, "note": 7},
        "": {"done": 3, "total": 8},
        "walk/shelves": {"done": 5, "total": 5, "note": "done"},
        "write": {"done": 1, "total": None},
    }
    before, other = add(state, "a", 0), add(state, "b", 1)
    reason = "it broke " * 500
    more = {"progress": json.dumps(told), "reason": reason, "traceback": "Traceback", "attempts": 2}
    run_id = add(state, "a", 2, "failed", slot_at=NOON + 1.5 * MINUTE, **more)
    after = add(state, "a", 3, "missed", attempts=0, slots=4)
    with state.begin() as connection:
        at = NOON + 2 * MINUTE
        add_attempts(connection, run_id, [Attempt(1, at, at + MINUTE / 4, Outcome.FAILED, "first")])
    page = ask(state, jobs.run, run_id, NOON + 9 * MINUTE)
    assert (page.before, page.after, page.late_seconds, page.process) == (before, after, 30.0, "process 4711 on lab-1")
    assert page.run.reason == reason and page.traceback == "Traceback" and page.going is None
    assert [(one.number, one.seconds, one.reason) for one in page.attempts] == [(1, 15.0, "first")]
    tree = page.progress
    assert (tree.done, tree.total, tree.share) == (3, 8, 0.375)
    odd, walk, write = tree.parts
    assert (odd.name, odd.done, odd.total, odd.share, odd.note) == ("odd", None, 0, None, "7")
    assert (walk.name, walk.done, walk.parts[0].name, walk.parts[0].share) == ("walk", 5, "shelves", 1.0)
    assert (write.share, write.parts) == (None, [])
    missed = ask(state, jobs.run, after, NOON)
    assert (missed.late_seconds, missed.run.slots, missed.after, missed.progress) == (None, 4, None, None)
    assert ask(state, jobs.run, after + 1, NOON) is None
    assert ask(state, jobs.run, other, NOON).before is None
    listed = ask(state, jobs.listed, ["a"], jobs.Filter("a", "failed"), 5)
    assert listed.runs[0].reason == reason[:1000]


def test_a_log_comes_in_stretches(state: State) -> None:
    run_id, other = add(state, "a", 0, None), add(state, "a", 1)
    with state.begin() as connection:
        lines = [
            LogLine(run_id, NOON, "WARNING" if number == 2 else "INFO", "x", f"line {number}") for number in range(5)
        ]
        log_lines.add(connection, [*lines, LogLine(other, NOON, "INFO", "x", "other")])

    def texts(*arguments: Any, **more: Any) -> tuple[list[str], bool, bool]:
        found = ask(state, jobs.log, *arguments, **more)
        return [line.message for line in found.lines], found.more, found.ended

    first = ask(state, jobs.log, run_id, 0, 3)
    assert [line.message for line in first.lines] == ["line 0", "line 1", "line 2"] and first.more
    assert texts(run_id, first.next_after, 3) == (["line 3", "line 4"], False, False)
    assert texts(run_id, 0, 2, tail=True) == (["line 3", "line 4"], False, False)
    assert texts(run_id, least="WARNING") == (["line 2"], False, False)
    assert texts(other) == (["other"], False, True)
    assert ask(state, jobs.log, other, 10**6).next_after == 10**6
    assert ask(state, jobs.log, other + 1) is None


def test_a_quarantine_comes_in_pages(state: State) -> None:
    rows = [Quarantined(f"key {number}", "no user", item) for number in range(5) for item in "xy"]
    with state.begin() as connection:
        quarantine.put(connection, "a", rows, NOON, 1)
        quarantine.drop(connection, "a", "key 1", "anna", "thrown away", NOON + MINUTE)
        quarantine.look_first(connection, "a", "key 3")
    first = ask(state, jobs.quarantine, "a", 3)
    assert [(row.key, row.items) for row in first.rows] == [("key 0", 2), ("key 2", 2), ("key 3", 2)]
    assert [row.last_at for row in first.rows] == [NOON, NOON, None]
    assert (first.keys, first.next_offset) == (4, 3)
    second = ask(state, jobs.quarantine, "a", 3, 3)
    assert ([row.key for row in second.rows], second.next_offset) == (["key 4"], None)
    [dropped] = ask(state, jobs.quarantine, "a", 3, dropped=True).rows
    assert (dropped.key, dropped.dropped_by, dropped.note) == ("key 1", "anna", "thrown away")
