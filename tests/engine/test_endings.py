"""Endings: the first end of a run counts, whoever records it."""

import logging
import threading

from sqlalchemy import Connection, event

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Fenced
from janitor.runs import current_run
from janitor.state import leases, run_records
from janitor.state.run_records import BY_HAND
from tests.engine.keeping import going_on, lease
from tests.small_engine import SECOND, eventually, job_of, lines_of, now, rows_of, run_by_hand

log = logging.getLogger("some.library")


def test_a_run_found_dead_by_another_stays_as_recorded(runner: Runner) -> None:
    fenced: list[Fenced] = []

    def task() -> dict[str, int]:
        with runner.state.begin() as connection:
            leases.release_of(connection, runner.holder)
            run_records.interrupt(connection, set(), now(), lambda holder: "the process that ran it is gone")
        log.info("a late word")
        current_run().progress(3)
        runner.flush()
        try:
            with runner.state.begin(*current_run().fences.values()):
                pass
        except Fenced as exc:
            fenced.append(exc)
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
    assert len(fenced) == 1, "what it does later is written"


def test_a_run_cut_off_keeps_its_log_and_its_leases(lite: Runner) -> None:
    # Given: a run that does not stop. What happens: it is cut off, and its task goes on for a while.
    # What must hold: it is on record with its log, and nobody can run its job beside it. Its later end changes nothing.
    began, let_go = threading.Event(), threading.Event()

    def task() -> None:
        log.info("before")
        began.set()
        let_go.wait(30)
        log.info("after")

    with going_on(lite, task):
        assert began.wait(30)
        lite.cut_off("no safe point within 5 s")
        (row,), held = rows_of(lite.state), lease(lite, "job:task")
        with lite.state.begin() as connection:
            beside = leases.acquire(connection, "job:task", "another", held.expires_at - SECOND, 60)
        let_go.set()
    assert (held.holder, beside) == (lite.holder, None)
    assert (row.outcome, row.reason) == ("interrupted", "no safe point within 5 s")
    assert rows_of(lite.state) == [row]
    assert lines_of(lite.state, row.id) == ["before"]
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
