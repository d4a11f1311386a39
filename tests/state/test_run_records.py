"""Run records: a run ends once, a slot has one record, and the runs of dead processes are closed."""

import pytest

from janitor.errors import Rejected
from janitor.runs import Outcome, bounds
from janitor.state import State, recent, run_records
from janitor.state.run_records import Attempt, Ending
from tests.small_engine import rows_of
from tests.state.history import MINUTE, NOW, begin


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


def test_runs_of_dead_processes_are_interrupted(state: State) -> None:
    mine, theirs = begin(state, "a", NOW, "me"), begin(state, "b", NOW, "them")
    with state.begin() as connection:
        closed = run_records.interrupt(connection, {"me"}, NOW + MINUTE, lambda holder: "gone")
        assert [row.id for row in closed] == [theirs]
        assert run_records.running(connection, "a").id == mine  # type: ignore[union-attr]
        assert run_records.running(connection, "b") is None
        row = run_records.get(connection, theirs)
    assert row is not None and (row.outcome, row.reason, row.seconds) == ("interrupted", "gone", 60.0)


def test_long_texts_are_cut_and_kept(state: State) -> None:
    number = begin(state, slot=NOW)
    long = "é\U0001f9ea" * 500_000 + "half \udcff end"
    with state.begin() as connection:
        run_records.finish(connection, number, Ending(Outcome.FAILED, long, NOW, 1.0, None, long))
        run_records.add_attempts(connection, number, [Attempt(1, NOW, NOW, Outcome.FAILED, long, long)])
        row = run_records.get(connection, number)
    assert row is not None and row.traceback.endswith("half \\udcff end")
    assert bounds.REASON - 4 < len(row.reason.encode()) <= bounds.REASON
    assert bounds.TRACEBACK - 20 < len(row.traceback.encode()) <= bounds.TRACEBACK


def test_history_is_newest_first(state: State) -> None:
    numbers = [begin(state, job, None) for job in ("a", "b", "a", "b", "a")]
    with state.begin() as connection:
        assert [row.id for row in run_records.history(connection, limit=2)] == numbers[:-3:-1]
        assert [row.id for row in run_records.history(connection, "b")] == [numbers[3], numbers[1]]
        assert {job: row.id for job, row in recent.last_of(connection, ["a", "b", "c"]).items()} == {
            "a": numbers[4],
            "b": numbers[3],
        }
