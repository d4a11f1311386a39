"""One run from its recorded start to its recorded end, whatever happens between."""

import asyncio
import json
import logging
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, select, update

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Cancelled, Fenced, Interrupted, Rejected, Skip, Unavailable
from janitor.jobs import schedules
from janitor.runs import Outcome, current_run
from janitor.state import State, job_records, leases, run_records
from janitor.state.run_records import BY_HAND, LostSlots
from janitor.state.tables import jobs as job_rows
from janitor.state.tables import leases as lease_rows
from tests import small_engine
from tests.servers import SqlServer, free_port
from tests.small_engine import (
    SECOND,
    job_of,
    lines_of,
    now,
    outcomes,
    rows_of,
    run_by_hand,
    runner_for,
    settings_for,
)

log = logging.getLogger("some.library")


def nothing() -> None:
    pass


def test_a_run_is_on_record_while_it_goes_on(runner: Runner) -> None:
    seen = []

    def task() -> dict[str, int]:
        row = rows_of(runner.state)[0]
        seen.append((row.id, row.job, row.outcome, row.ended_at))
        log.info("halfway")
        return {"rows": 3}

    slot = now().replace(microsecond=250_000)
    finished = runner.execute(job_of(task, id="nightly"), Slot(slot))
    assert finished is not None and seen == [(finished[0], "nightly", None, None)]
    row = rows_of(runner.state)[0]
    assert (row.outcome, row.reason, row.traceback, row.origin) == ("succeeded", None, None, "schedule")
    assert (row.slot_at, row.slot_until_at, row.slots, row.attempts) == (slot, slot, 1, 1)
    assert row.ended_at >= row.started_at and json.loads(row.counts) == {"rows": 3}
    assert lines_of(runner.state, row.id) == ["halfway"]
    with runner.state.begin() as connection:
        assert leases.holder_of(connection, "job:nightly") is None


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (ValueError("boom\nand more"), "failed", "ValueError: boom"),
        (Rejected("the table is missing"), "failed", "the table is missing"),
        (Unavailable("the server is away"), "failed", "the server is away"),
        (Skip("nothing to do"), "skipped", "nothing to do"),
        (Cancelled("asked to"), "cancelled", "asked to"),
        (Interrupted("going down"), "interrupted", "going down"),
        (SystemExit(3), "failed", "SystemExit: 3"),
        (asyncio.CancelledError("leaked"), "failed", "CancelledError: leaked"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
        (MemoryError(), "failed", "MemoryError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd"), "failed", "UnicodeDecodeError: 'utf-8'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_has_its_outcome(lite: Runner, error: BaseException, outcome: str, reason: str) -> None:
    def task() -> None:
        hidden_value = "-".join(("local", "value"))
        raise error from (RuntimeError("cause") if hidden_value else None)

    run_by_hand(lite, task)
    row = rows_of(lite.state)[0]
    assert row.outcome == outcome and row.reason.startswith(reason) and "\n" not in row.reason
    if outcome == "failed":
        assert "RuntimeError: cause" in row.traceback and "local-value" not in row.traceback
    else:
        assert row.traceback is None


def test_an_error_that_has_no_text_is_recorded_too(lite: Runner) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def task() -> None:
        raise Odd("surrogate \udcff")

    run_by_hand(lite, task)
    assert outcomes(lite.state) == ["failed"] and "Odd" in rows_of(lite.state)[0].reason


def test_a_reason_that_no_database_takes_is_made_one(runner: Runner) -> None:
    def task() -> None:
        raise ValueError("file \udcff is odd \U0001f9ea")

    run_by_hand(runner, task)
    row = rows_of(runner.state)[0]
    assert row.outcome == "failed" and "is odd \U0001f9ea" in row.reason


@pytest.mark.parametrize(
    ("returned", "kept"),
    [
        (None, None),
        ("a text", None),
        ({"rows": 3, 4: 1.5}, {"rows": 3, "4": 1.5}),
        ({"when": timedelta(seconds=90)}, {"when": "0:01:30"}),
        ({"nested": {"a": (1, 2)}}, {"nested": {"a": [1, 2]}}),
    ],
)
def test_counts_are_kept(lite: Runner, returned: object, kept: object) -> None:
    _, ending = run_by_hand(lite, lambda: returned)
    counts = rows_of(lite.state)[0].counts
    assert (counts and json.loads(counts)) == kept == ending.counts


def test_counts_that_cannot_be_kept_fail_the_run(lite: Runner) -> None:
    round_about: dict[str, object] = {}
    round_about["me"] = round_about
    _, ending = run_by_hand(lite, lambda: round_about)
    assert outcomes(lite.state) == ["failed"] and "Circular" in str(ending.reason)


def test_a_task_over_its_time_ends_at_a_safe_point(lite: Runner) -> None:
    def task() -> None:
        while True:
            current_run().progress(1)
            time.sleep(0.01)

    run_by_hand(lite, task, timeout=0.1)
    row = rows_of(lite.state)[0]
    assert (row.outcome, row.reason) == ("timed_out", "over its timeout of 0.1 s")
    assert "in task" in row.traceback


def test_a_task_that_returns_late_is_timed_out(lite: Runner) -> None:
    def task() -> dict[str, int]:
        time.sleep(0.1)
        return {"rows": 3}

    run_by_hand(lite, task, timeout=0.05)
    row = rows_of(lite.state)[0]
    assert row.outcome == "timed_out" and "it finished" in row.reason
    assert json.loads(row.counts) == {"rows": 3}


def test_a_call_bounded_by_the_deadline_is_timed_out(lite: Runner) -> None:
    def task() -> None:
        time.sleep(0.1)
        raise Unavailable("the statement was stopped")

    run_by_hand(lite, task, timeout=0.05)
    assert outcomes(lite.state) == ["timed_out"]


def test_each_attempt_is_in_the_history(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = shortened(monkeypatch)
    numbers = []

    def task() -> dict[str, int]:
        numbers.append(current_run().attempt)
        if len(numbers) < 4:
            raise ValueError(f"try {len(numbers)}")
        return {"rows": 3}

    run_id, ending = run_by_hand(runner, task, retries=5)
    assert numbers == [1, 2, 3, 4] and ending.attempts == 4
    row = rows_of(runner.state)[0]
    assert (row.outcome, row.attempts) == ("succeeded", 4)
    with runner.state.begin() as connection:
        made = run_records.attempts_of(connection, run_id)
    assert [(one.number, one.outcome, one.reason) for one in made] == [
        (1, "failed", "ValueError: try 1"),
        (2, "failed", "ValueError: try 2"),
        (3, "failed", "ValueError: try 3"),
        (4, "succeeded", None),
    ]
    assert all("try" in one.traceback for one in made[:3])
    # 1, 2, 4 seconds, each with up to a second more.
    assert [int(pause) in (floor, floor + 1) for pause, floor in zip(pauses, (1, 2, 4), strict=True)] == [True] * 3


def shortened(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no retry wait; how long each would have."""
    from janitor.runs import Run

    pauses: list[float] = []
    monkeypatch.setattr(Run, "sleep", lambda run, seconds: pauses.append(seconds))
    return pauses


def test_the_last_attempt_tells_why_a_run_failed(lite: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    shortened(monkeypatch)

    def task() -> None:
        raise ValueError(f"try {current_run().attempt}")

    run_id, _ = run_by_hand(lite, task, retries=2)
    row = rows_of(lite.state)[0]
    assert (row.outcome, row.reason, row.attempts) == ("failed", "ValueError: try 3", 3)
    with lite.state.begin() as connection:
        assert len(run_records.attempts_of(connection, run_id)) == 3


def test_a_failed_attempt_is_kept_where_time_is_over(lite: Runner) -> None:
    def task() -> None:
        raise ValueError("the first and only try")

    run_id, ending = run_by_hand(lite, task, retries=3, timeout=0.2)
    assert ending.outcome is Outcome.TIMED_OUT
    with lite.state.begin() as connection:
        assert [one.reason for one in run_records.attempts_of(connection, run_id)] == [
            "ValueError: the first and only try"
        ]


def test_what_is_no_failure_is_not_tried_again(lite: Runner) -> None:
    def task() -> None:
        raise Skip("nothing to do")

    run_by_hand(lite, task, retries=3)
    assert [(row.outcome, row.attempts) for row in rows_of(lite.state)] == [("skipped", 1)]


def test_a_run_asked_to_stop_is_interrupted(lite: Runner) -> None:
    def task() -> None:
        lite.live[current_run().id].run.ask_to_stop(Interrupted("going down"))
        current_run().sleep(60)

    run_by_hand(lite, task)
    assert [(row.outcome, row.reason) for row in rows_of(lite.state)] == [("interrupted", "going down")]


def test_progress_is_saved_while_the_run_goes_on(runner: Runner) -> None:
    seen = []

    def task() -> None:
        current_run().progress(3, 20, note="first")
        current_run().progress(5, None, "read", "page")
        log.info("so far")
        runner.flush()
        row = rows_of(runner.state)[0]
        seen.append((json.loads(row.progress), lines_of(runner.state, row.id)))
        current_run().progress(20, 20)

    run_by_hand(runner, task)
    progress, lines = seen[0]
    assert progress == {"": {"done": 3, "total": 20, "note": "first"}, "read/page": {"done": 5, "total": None}}
    assert lines == ["so far"]
    row = rows_of(runner.state)[0]
    assert json.loads(row.progress)[""] == {"done": 20, "total": 20}
    assert lines_of(runner.state, row.id) == ["so far"]


def test_a_run_s_log_is_in_order_however_often_saved(lite: Runner) -> None:
    def task() -> None:
        for number in range(200):
            log.info("%d", number)
            time.sleep(0.001)

    stop = threading.Event()

    def save() -> None:
        while not stop.is_set():
            lite.flush()

    saver = threading.Thread(target=save)
    saver.start()
    run_id, _ = run_by_hand(lite, task)
    stop.set()
    saver.join()
    assert lines_of(lite.state, run_id) == [str(number) for number in range(200)]


def test_a_paused_job_skips_its_slots_as_one_record(runner: Runner) -> None:
    job, first = replace(job_of(nothing), trigger=schedules.every(1)), now().replace(microsecond=0)
    with runner.state.begin() as connection:
        assert job_records.pause(connection, job.id, job.schedule, first, "me")
        assert not job_records.pause(connection, job.id, job.schedule, first, "me")
    for number in range(3):
        assert runner.execute(job, Slot(first + number * SECOND)) is None
    (row,) = rows_of(runner.state)
    assert (row.outcome, row.reason, row.slots) == ("skipped", "paused", 3)
    assert (row.slot_at, row.slot_until_at) == (first, first + 2 * SECOND)
    assert runner.execute(job, Slot(None, BY_HAND)) is not None
    with runner.state.begin() as connection:
        assert job_records.resume(connection, job.id)
    assert runner.execute(job, Slot(first + 3 * SECOND)) is not None
    assert outcomes(runner.state) == ["skipped", "succeeded", "succeeded"]


def test_a_job_that_runs_elsewhere_is_skipped_there(runner: Runner) -> None:
    job = job_of(nothing)
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:task", "elsewhere|||1||x", moment, 60)
        number = run_records.start(connection, "task", BY_HAND, None, moment, False, "elsewhere|||1||x")
    assert runner.execute(job, Slot(now())) is None
    assert (rows_of(runner.state)[1].outcome, rows_of(runner.state)[1].reason) == (
        "skipped",
        f"still running in another process (run {number})",
    )
    with pytest.raises(Skip, match=f"run {number}"):
        runner.execute(job, Slot(None, BY_HAND))


def test_a_slot_that_has_an_outcome_does_not_run_again(runner: Runner) -> None:
    ran: list[int] = []
    job, slot = job_of(lambda: ran.append(1)), Slot(now())
    assert runner.execute(job, slot) is not None
    assert runner.execute(job, slot) is None
    assert ran == [1] and outcomes(runner.state) == ["succeeded"]
    assert runner.execute(job, Slot(now())) is not None


def test_an_open_run_of_one_s_own_does_not_block_its_job(runner: Runner) -> None:
    # As when the answer to the commit of its start was lost: the row is there, and nobody runs it.
    job = job_of(nothing)
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:task", runner.holder, moment, 60)
        run_records.start(connection, "task", "schedule", now(), moment, False, runner.holder)
    assert runner.execute(job, Slot(now())) is not None
    assert outcomes(runner.state) == ["interrupted", "succeeded"]


def test_a_start_whose_answer_was_lost_is_failed(runner: Runner) -> None:
    slot = now()
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:task", runner.holder, moment, 60)
        run_records.start(connection, "task", "schedule", slot, moment, False, runner.holder)
    runner.lost(LostSlots("task", slot, slot, 1, Outcome.FAILED, "the run could not be recorded: away"))
    assert [(row.outcome, row.reason) for row in rows_of(runner.state)] == [
        ("failed", "the run could not be recorded: away")
    ]
    with runner.state.begin() as connection:
        assert leases.holder_of(connection, "job:task") is None


def test_who_does_not_lead_starts_and_records_nothing(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []
    runner.leadership.take(None)
    assert runner.execute(job_of(lambda: ran.append(1)), Slot(now())) is None
    runner.lost(LostSlots("task", now(), now(), 1, Outcome.MISSED, "asleep"))
    assert ran == [] and rows_of(runner.state) == [] and runner.waiting == 0
    assert "did not start" in caplog.text and "not recorded" in caplog.text


def test_a_daemon_that_was_followed_writes_nothing(runner: Runner) -> None:
    with runner.state.begin() as connection:
        connection.execute(update(lease_rows).values(token=lease_rows.c.token + 1, holder="another"))
    assert runner.execute(job_of(nothing), Slot(now())) is None
    runner.lost(LostSlots("task", now(), now(), 1, Outcome.SKIPPED, "still running"))
    assert rows_of(runner.state) == []


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


def test_ends_and_lost_slots_wait_for_the_state(mariadb: SqlServer, tmp_path: Path) -> None:
    url = mariadb.create_database()
    job, first = replace(job_of(lambda: mariadb.kill()), trigger=schedules.every(1)), now().replace(microsecond=0)
    with runner_for(settings_for(url, tmp_path)) as runner:
        assert runner.execute(job, Slot(first)) is not None
        for number in (1, 2, 3, 4, 5, 7):
            assert runner.execute(job, Slot(first + number * SECOND)) is None
        with pytest.raises(Unavailable):
            runner.flush()
        # The first slot that failed may be on record after all, the next are one stretch, and one does not follow it.
        assert runner.waiting == 4
        mariadb.start()
        runner.flush()
        assert runner.waiting == 0
        rows = rows_of(runner.state)
        assert [(row.outcome, row.slots) for row in rows][:1] == [("succeeded", 1)]
        assert {row.outcome for row in rows[1:]} == {"failed"}
        assert [row.slots for row in rows[1:]] in ([5, 1], [1, 4, 1])
        assert all("could not be recorded" in row.reason and "cannot be reached" in row.reason for row in rows[1:])
        with runner.state.begin() as connection:
            assert connection.execute(select(lease_rows.c.holder).where(lease_rows.c.name == "job:task")).all() == [
                (None,)
            ]


def test_a_run_by_hand_without_state_is_an_error(tmp_path: Path) -> None:
    away = URL.create("mysql+pymysql", "root", "", "127.0.0.1", free_port(), "nowhere")
    settings = settings_for(away, tmp_path)
    with small_engine.logging_to(settings) as (mask, run_log):
        runner = Runner(State(away), settings, leases.new_holder(), mask, run_log)
        with pytest.raises(Unavailable, match="cannot be reached"):
            runner.execute(job_of(nothing), Slot(None, BY_HAND))
        assert runner.waiting == 0


def test_many_runs_at_once_are_all_recorded(runner: Runner) -> None:
    made = [job_of(nothing, id=f"job{number}") for number in range(60)]
    slot = Slot(now())
    threads = [threading.Thread(target=runner.execute, args=(job, slot)) for job in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows_of(runner.state)) == 60 and set(outcomes(runner.state)) == {"succeeded"}


def test_passwords_are_masked_in_what_is_recorded(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    settings = settings_for(url, tmp_path, RABBITMQ_PASSWORD="very-secret")
    with runner_for(settings) as runner:

        def task() -> None:
            log.info("with very-secret")
            raise ValueError("the password very-secret is wrong")

        run_id, _ = run_by_hand(runner, task)
        row = rows_of(runner.state)[0]
        assert row.reason == "ValueError: the password *** is wrong"
        assert lines_of(runner.state, run_id) == ["with ***"]
        assert "very-secret" not in row.traceback.replace('raise ValueError("the password very-secret is wrong")', "")


def test_a_dry_run_says_so_everywhere(lite: Runner) -> None:
    seen = []
    lite.execute(job_of(lambda: seen.append(current_run().dry_run)), Slot(None, BY_HAND), dry_run=True)
    assert seen == [True] and rows_of(lite.state)[0].dry_run is True
    with lite.state.begin() as connection:
        assert connection.execute(select(job_rows)).all() == []


def test_recursion_ends_the_run_and_not_the_daemon(lite: Runner) -> None:
    def task(depth: int) -> None:
        task(depth + 1)

    limit = sys.getrecursionlimit()
    run_by_hand(lite, task, 1)
    assert sys.getrecursionlimit() == limit
    assert "RecursionError" in rows_of(lite.state)[0].reason
