"""The history: runs, stretches of slots without one, and what is forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from janitor.errors import Rejected
from janitor.jobs import schedules
from janitor.runs import Outcome
from janitor.state import State, actions, job_records, log_lines, retention, run_records
from janitor.state.log_lines import LogLine
from janitor.state.run_records import Attempt, Ending, LostSlots
from janitor.state.starts import look
from janitor.state.tables import attempts, run_logs
from tests.small_engine import DATABASES, empty_state, remember_run, rows_of

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = State(empty_state(request, tmp_path))
    yield made
    made.close()


def begin(state: State, job: str = "a", slot: datetime | None = None, holder: str = "me") -> int:
    with state.begin() as connection:
        return run_records.start(connection, job, "schedule", slot, NOW, False, holder)


def lose(state: State, first: int, last: int, reason: str = "still running (run 1)", outcome: str = "skipped") -> None:
    """Lose the slots of some minutes of the hour."""
    moments, kind = (NOW + first * MINUTE, NOW + last * MINUTE), Outcome(outcome)
    slots = LostSlots("a", *moments, last - first + 1, kind, reason, schedules.every(60))
    with state.begin() as connection:
        run_records.record_lost(connection, slots, "me")


def stretches(state: State) -> list[tuple[int, int, int]]:
    """The first and last minute and the count of each record, in the order of slots."""
    rows = sorted((row for row in rows_of(state) if row.slot_at), key=lambda row: row.slot_at)
    return [((row.slot_at - NOW) // MINUTE, (row.slot_until_at - NOW) // MINUTE, row.slots) for row in rows]


def test_a_run_ends_once(state: State) -> None:
    number = begin(state, slot=NOW)
    first = Ending(Outcome.SUCCEEDED, None, NOW + MINUTE, 60.0, {"rows": 3})
    with state.begin() as connection:
        assert run_records.finish(connection, number, first)
        assert not run_records.finish(connection, number, Ending(Outcome.FAILED, "late", NOW, 1.0))
        row = run_records.get(connection, number)
    assert row is not None
    assert (row.outcome, row.reason, row.seconds, row.counts) == ("succeeded", None, 60.0, '{"rows": 3}')


def test_a_slot_has_one_record(state: State) -> None:
    begin(state, slot=NOW)
    with pytest.raises(Rejected):
        begin(state, slot=NOW)
    begin(state, job="b", slot=NOW)
    begin(state, slot=None)
    begin(state, slot=None)
    assert len(rows_of(state)) == 4


def test_a_stretch_that_goes_on_grows(state: State) -> None:
    begin(state, slot=NOW)
    lose(state, 1, 1)
    lose(state, 2, 2)
    lose(state, 3, 5)
    assert stretches(state) == [(0, 0, 1), (1, 5, 5)]


def test_a_stretch_ends_before_a_slot_that_is_not_its_own(state: State) -> None:
    lose(state, 1, 1)
    lose(state, 3, 3)
    lose(state, 4, 4)
    lose(state, 2, 2, "the run could not be recorded", "failed")
    assert stretches(state) == [(1, 1, 1), (2, 2, 1), (3, 4, 2)]


@pytest.mark.parametrize(("reason", "outcome"), [("still running (run 2)", "skipped"), ("asleep", "missed")])
def test_another_reason_is_another_record(state: State, reason: str, outcome: str) -> None:
    lose(state, 1, 2)
    lose(state, 3, 3, reason, outcome)
    assert stretches(state) == [(1, 2, 2), (3, 3, 1)]


def test_a_stretch_never_spans_what_ran_between(state: State) -> None:
    # Recorded late: the run of minute 3 is on record before the slot lost at minute 2.
    lose(state, 1, 1)
    begin(state, slot=NOW + 3 * MINUTE)
    lose(state, 2, 2)
    lose(state, 4, 4)
    assert stretches(state) == [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 4, 1)]


def test_the_last_slots_are_those_accounted_for(state: State) -> None:
    begin(state, slot=NOW)
    lose(state, 1, 7)
    begin(state, "b", None)
    begin(state, "c", NOW)
    with state.begin() as connection:
        assert run_records.last_slots(connection) == {"a": NOW + 7 * MINUTE, "c": NOW}


def test_runs_of_dead_processes_are_interrupted(state: State) -> None:
    mine, theirs = begin(state, "a", NOW, "me"), begin(state, "b", NOW, "them")
    with state.begin() as connection:
        closed = run_records.interrupt(connection, {"me"}, NOW + MINUTE, "gone")
        assert [row.id for row in closed] == [theirs]
        assert run_records.running(connection, "a").id == mine  # type: ignore[union-attr]
        assert run_records.running(connection, "b") is None
        row = run_records.get(connection, theirs)
    assert row is not None and (row.outcome, row.reason, row.seconds) == ("interrupted", "gone", 60.0)


def test_long_texts_are_cut_and_kept(state: State) -> None:
    number = begin(state, slot=NOW)
    long = "é\U0001f9ea" * (run_records.MAX_TEXT // 2) + "end"
    with state.begin() as connection:
        run_records.finish(connection, number, Ending(Outcome.FAILED, long, NOW, 1.0, None, long))
        run_records.add_attempts(connection, number, [Attempt(1, NOW, NOW, Outcome.FAILED, long, long)])
        row = run_records.get(connection, number)
    assert row is not None and len(row.reason) == len(row.traceback) == run_records.MAX_TEXT
    assert row.traceback.endswith("end")


def test_history_is_newest_first(state: State) -> None:
    numbers = [begin(state, job, None) for job in ("a", "b", "a", "b", "a")]
    with state.begin() as connection:
        assert [row.id for row in run_records.history(connection, limit=2)] == numbers[:-3:-1]
        assert [row.id for row in run_records.history(connection, "b")] == [numbers[3], numbers[1]]
        assert {job: row.id for job, row in run_records.newest(connection).items()} == {
            "a": numbers[4],
            "b": numbers[3],
        }


def test_a_log_is_read_in_order_and_in_parts(state: State) -> None:
    first, second = begin(state, "a"), begin(state, "b")
    lines = [LogLine(first, NOW + MINUTE * n, "INFO", "x", f"line {n}") for n in range(5)]
    with state.begin() as connection:
        log_lines.add(connection, lines)
        log_lines.add(connection, [LogLine(second, NOW, "INFO", "x", "other")])
        log_lines.add(connection, [])
        rows = log_lines.of_run(connection, first, limit=3)
        assert [row.message for row in rows] == ["line 0", "line 1", "line 2"]
        assert [row.message for row in log_lines.of_run(connection, first, after=rows[-1].id)] == ["line 3", "line 4"]
        assert rows[1].at == NOW + MINUTE


def full_history(state: State, count: int) -> None:
    """Runs a minute apart, the newest at NOW, each with a line and an attempt."""
    for number in range(count):
        remember_run(state, "a", NOW - (count - 1 - number) * MINUTE)
    with state.begin() as connection:
        for row in run_records.history(connection, limit=count):
            log_lines.add(connection, [LogLine(row.id, NOW, "INFO", "x", "line")])
            values = {"run_id": row.id, "number": 1, "started_at": NOW, "ended_at": NOW, "outcome": "failed"}
            connection.execute(insert(attempts).values(values))


def prune(state: State, before: datetime, keep: int) -> list[int]:
    """How many went with each call."""
    gone = [1]
    while gone[-1]:
        with state.begin() as connection:
            gone.append(retention.prune(connection, retention.Bounds(before, keep)))
    return gone[1:]


def counted(state: State) -> list[int]:
    with state.begin() as connection:
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (run_logs, attempts)
        ]


def test_what_is_too_old_goes_in_small_deletes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    full_history(state, 12)
    assert prune(state, NOW - 2 * MINUTE, 1000) == [4, 4, 1, 0]
    assert [row.slot_at for row in rows_of(state)] == [NOW - 2 * MINUTE, NOW - MINUTE, NOW]
    assert counted(state) == [3, 3]


def test_what_is_too_much_goes_in_small_deletes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    full_history(state, 12)
    remember_run(state, "b", NOW)
    assert prune(state, NOW - 100 * MINUTE, 5) == [4, 3, 0]
    assert len(rows_of(state, "a")) == 5 and len(rows_of(state, "b")) == 1
    assert counted(state) == [5, 5]


def test_the_newest_slot_and_open_runs_stay(state: State) -> None:
    remember_run(state, "a", NOW)
    # Recorded later, of an earlier slot: the newest slot is not the newest record.
    remember_run(state, "a", NOW - 5 * MINUTE, "missed")
    begin(state, "open", NOW)
    for _ in range(3):
        remember_run(state, "a", None, "succeeded", started_at=NOW)  # type: ignore[arg-type]
    prune(state, NOW + 60 * MINUTE, 1)
    assert sorted((row.job, row.slot_at) for row in rows_of(state)) == [("a", NOW), ("open", NOW)]


def test_pauses_last_and_say_who(state: State) -> None:
    with state.begin() as connection:
        job_records.remember(connection, {"a": ("every 5m", True)}, NOW)
        assert job_records.pause(connection, "a", "every 5m", NOW + MINUTE, "me")
        assert job_records.pause(connection, "new", "every 1h", NOW, "me")
    with state.begin() as connection:
        record = job_records.all_jobs(connection)["a"]
        assert (record.paused_at, record.paused_by) == (NOW + MINUTE, "me")
        assert look(connection, "a").paused and look(connection, "new").paused
        assert job_records.resume(connection, "a") and not job_records.resume(connection, "a")
        assert not look(connection, "a").paused and not look(connection, "unknown").paused


def test_a_job_is_enabled_since_it_was_switched_on(state: State) -> None:
    def start(minute: int, schedule: str, enabled: bool) -> job_records.JobRecord | None:
        with state.begin() as connection:
            return job_records.remember(connection, {"a": (schedule, enabled)}, NOW + minute * MINUTE).get("a")

    assert start(0, "every 5m", True) is None
    assert start(1, "every 5m", True).enabled_at == NOW  # type: ignore[union-attr]
    start(2, "every 7m", True)
    assert start(3, "every 7m", False).enabled_at == NOW  # type: ignore[union-attr]
    assert start(4, "every 7m", True).enabled is False  # type: ignore[union-attr]
    record = start(5, "every 7m", True)
    assert record is not None and (record.enabled, record.enabled_at) == (True, NOW + 4 * MINUTE)


def test_actions_are_remembered(state: State) -> None:
    with state.begin() as connection:
        actions.record(connection, "me", "pause", "a", "", NOW)
        actions.record(connection, "you", "cursor", None, "from 3 to 4", NOW + MINUTE)
        found = [(row.actor, row.action, row.job, row.at) for row in actions.listing(connection)]
        assert found == [("you", "cursor", None, NOW + MINUTE), ("me", "pause", "a", NOW)]
        assert [row.action for row in actions.listing(connection, "a")] == ["pause"]
