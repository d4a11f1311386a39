"""Retention.

Given: runs, some old, some too many, some open.
What happens: old runs are deleted, a few at a time, until nothing is left to delete.
What must hold: the newest runs, the run with the newest slot, and open runs stay.
"""

from datetime import datetime

import pytest
from sqlalchemy import func, insert, select

from janitor.state import State, log_lines, retention, run_records
from janitor.state.log_lines import LogLine
from janitor.state.tables import attempts, run_logs
from tests.small_engine import remember_run, rows_of
from tests.state.history import MINUTE, NOW, begin


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


def test_log_lines_of_a_level_go_in_small_deletes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LINES", 5)
    run_id = begin(state)
    with state.begin() as connection:
        old = [LogLine(run_id, NOW - MINUTE, "DEBUG", "x", f"{number}") for number in range(12)]
        others = [LogLine(run_id, NOW - MINUTE, "INFO", "x", "level"), LogLine(run_id, NOW, "DEBUG", "x", "age")]
        log_lines.add(connection, [*old, *others])
        assert [retention.prune_logs(connection, ["DEBUG"], NOW) for _ in range(4)] == [5, 5, 2, 0]
        assert list(connection.execute(select(run_logs.c.message)).scalars()) == ["level", "age"]
