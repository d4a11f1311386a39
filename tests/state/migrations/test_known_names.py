"""Filling `memories` from what is kept: in batches, each name of each job once.

Given: two jobs of one task have saved its cursor and kept rows, and the run of another row is gone.
What happens: the names are entered, in batches of one row, of some, or all at once; and entered again.
What must hold: each job has the name, once.
"""

from pathlib import Path

import pytest
from sqlalchemy import URL, text

from janitor.state import State, cursors, quarantine
from janitor.state.migrations import known_names
from janitor.state.migrations.known_names import NamesOfCursors, NamesOfQuarantines
from janitor.state.quarantine import Quarantined
from tests.explained import noted
from tests.small_engine import migrated, now, remember_run, rows_of

GONE = 10**12
"""The id of no run, whatever ids the server has given before."""


@pytest.mark.parametrize("batch", [1, 2, 3, 5_000])
def test_what_runs_have_remembered_is_found_by_their_jobs(
    state: State, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_names, "BATCH", batch)
    for job in ("follow", "reconcile", "last"):
        remember_run(state, job, now())
    first, second, third = (row.id for row in rows_of(state))
    with state.begin() as connection:
        cursors.save(connection, "task", "seven", now(), first)
        for name, keys, run_id in (
            ("task", ("a", "b", "c"), first),
            ("task", ("d",), second),
            ("task", ("é",), GONE),
            ("other", ("a",), GONE),
            ("Z", ("a", "b"), third),
        ):
            quarantine.put(connection, name, [Quarantined(key, "why") for key in keys], now(), run_id)
    kept: list[int] = []
    for _ in range(2):
        with state.engine.connect() as connection:
            for step in (NamesOfCursors(), NamesOfQuarantines()):
                step.take(connection, lambda connection: kept.append(1))
    with state.read() as connection:
        found = connection.execute(text("SELECT job, name FROM memories ORDER BY job")).all()
    assert [tuple(row) for row in found] == [("follow", "task"), ("last", "Z"), ("reconcile", "task")]
    # Once for the cursors. A batch that is full has another after it, which may be empty.
    assert len(kept) == 2 * (1 + sum(rows // batch + 1 for rows in (5, 1, 2)))


def test_a_batch_reads_no_more_than_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # SQLite reads an index between two bounds only if each is a plain comparison, and not one of several that may hold.
    monkeypatch.setattr(known_names, "BATCH", 10)
    state = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    with state.begin() as connection:
        quarantine.put(connection, "task", [Quarantined(str(key), "why") for key in range(50)], now(), 1)
    with noted() as sends, state.engine.connect() as connection:
        NamesOfQuarantines().take(connection, lambda connection: None)
    batches = [sent for sent in sends if "INSERT INTO memories" in sent.statement]
    assert len(batches) == 6
    # The last batch has no upper bound.
    for sent in batches[:-1]:
        with state.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent.statement}", sent.parameters).all()
        assert any("(name=? AND key>? AND key<?)" in row.detail for row in plan), plan
    state.close()


def test_without_rows_there_is_nothing_to_enter(state: State) -> None:
    with state.engine.connect() as connection:
        for step in (NamesOfCursors(), NamesOfQuarantines()):
            step.take(connection, lambda connection: None)
        assert connection.execute(text("SELECT COUNT(*) FROM memories")).scalar() == 0
