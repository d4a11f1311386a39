"""Endings: the first end of a run counts, whoever records it."""

import logging
import threading

import pytest
from sqlalchemy import Connection, event

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Fenced
from janitor.runs import current_run
from janitor.state import leases, run_records
from janitor.state.run_records import BY_HAND
from tests.small_engine import eventually, job_of, lines_of, now, rows_of, run_by_hand

log = logging.getLogger("some.library")


def test_a_run_found_dead_by_another_stays_as_recorded(runner: Runner) -> None:
    def task() -> dict[str, int]:
        with runner.state.begin() as connection:
            leases.release_of(connection, runner.holder)
            run_records.interrupt(connection, set(), now(), "the process that ran it is gone")
        log.info("a late word")
        current_run().progress(3)
        runner.flush()
        with pytest.raises(Fenced), runner.state.begin(*current_run().fences.values()):
            pass
        return {"rows": 3}

    run_id, _ = run_by_hand(runner, task)
    (row,) = rows_of(runner.state)
    assert (row.outcome, row.reason, row.counts, row.progress) == (
        "interrupted",
        "the process that ran it is gone",
        None,
        None,
    )
    assert lines_of(runner.state, run_id) == []


def test_a_run_cut_off_keeps_its_log_and_its_leases(lite: Runner) -> None:
    def task() -> None:
        log.info("before")
        lite.cut_off("no safe point within 5 s")
        with lite.state.begin(*current_run().fences.values()):
            pass

    run_id, _ = run_by_hand(lite, task)
    (row,) = rows_of(lite.state)
    assert (row.outcome, row.reason) == ("interrupted", "no safe point within 5 s")
    assert lines_of(lite.state, run_id) == ["before"]
    assert lite.live == {}


def test_all_that_is_cut_off_is_recorded_in_one_commit(lite: Runner) -> None:
    # Given: twelve runs that go on. What happens: the time of a stop is over, and it is short.
    # What must hold: each is interrupted, and the disk is waited for once.
    let_go, commits = threading.Event(), list[Connection]()
    jobs = [job_of(let_go.wait, 30, id=f"deaf{number}") for number in range(12)]
    threads = [threading.Thread(target=lite.execute, args=(job, Slot(None, BY_HAND)), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    eventually(lambda: len(lite.live) == len(jobs))
    event.listen(lite.state.engine, "commit", commits.append)
    lite.cut_off("no safe point within 5 s")
    assert {row.outcome for row in rows_of(lite.state)} == {"interrupted"} and len(commits) == 1
    let_go.set()
    for thread in threads:
        thread.join(30)
