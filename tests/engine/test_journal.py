"""The journal: many records at once, and what waits while the state database is away."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import URL, Connection, insert, select

from janitor.databases.sqlite_sessions import make_file
from janitor.engine.heartbeat import Heartbeat
from janitor.engine.journal import PAUSE_SECONDS, Journal
from janitor.engine.journal_records import Record
from janitor.engine.obstacles import Obstacles
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.engine.standstill import Standstill
from janitor.errors import Unavailable
from janitor.jobs import schedules
from janitor.logs.run_log import RunLog
from janitor.runs import Outcome
from janitor.state import State, database, holders, result_records
from janitor.state.log_lines import LogLine
from janitor.state.run_records import BY_HAND
from janitor.state.slot_records import LostSlots
from janitor.state.tables import configs as config_rows
from janitor.state.tables import leases as lease_rows
from tests import small_engine
from tests.servers import SqlServer, free_port
from tests.small_engine import SECOND, job_of, nothing, now, outcomes, rows_of, run_by_hand, runner_for, settings_for


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
        runner = Runner(State(away), settings, holders.new_holder(), mask, run_log)
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


@contextmanager
def short_statements(server: SqlServer) -> Iterator[None]:
    """Let a server take statements of 1 MiB only, in sessions that begin in the block."""
    (before,) = server.execute("SELECT @@GLOBAL.max_allowed_packet")
    server.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        yield
    finally:
        server.execute(f"SET GLOBAL max_allowed_packet = {before[0]}")


def test_a_record_too_large_for_the_server_holds_nobody_up(
    mariadb: SqlServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a state database that takes statements of 1 MiB.

    A run ends whose result is larger, as a statement; then another run ends. Both must be on record: the first without
    its result, with a reason, told once.
    """
    with short_statements(mariadb), runner_for(settings_for(mariadb.create_database(), tmp_path)) as runner:
        large, ending = run_by_hand(runner, lambda: "'" * 1_000_000, keeps_result="always")
        small, _ = run_by_hand(runner, lambda: {"rows": 3}, id="other")
        runner.flush()
        assert (runner.waiting, outcomes(runner.state)) == (0, ["succeeded", "succeeded"])
        first, second = rows_of(runner.state)
        assert "the state database refused the whole record: a statement was too long" in first.reason
        assert (first.seconds, second.counts) == (pytest.approx(ending.seconds, rel=1e-3), '{"rows": 3}')
        with runner.state.read() as connection:
            assert result_records.load(connection, large) is None
            assert connection.execute(select(lease_rows.c.holder).where(lease_rows.c.name.like("job:%"))).all() == [
                (None,),
                (None,),
            ]
        told = [record for record in caplog.records if "a short record stands in its place" in record.getMessage()]
        assert len(told) == 1


class Poisoned(RunLog):
    """A run log that hands out a line which SQLite does not take, as if the line had not been bounded."""

    def take(self, run_id: int) -> list[LogLine]:
        return [*super().take(run_id), LogLine(run_id, now(), "INFO", "x", "poison", None, 2**70)]

    def close_run(self, run_id: int) -> list[LogLine]:
        return [*super().close_run(run_id), LogLine(run_id, now(), "INFO", "x", "poison", None, 2**70)]


def test_reports_that_are_refused_hold_nobody_up(
    lite_url: URL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a run whose lines the state database refuses for what they hold.

    They are saved while it goes on, and with its end. Saving must fail nobody, and the end must be on record.
    """
    settings = settings_for(lite_url, tmp_path)
    with small_engine.logging_to(settings) as (mask, _):
        state = small_engine.migrated(lite_url)
        runner = Runner(state, settings, holders.new_holder(), mask, Poisoned(mask))
        run_id, _ = run_by_hand(runner, runner.flush)
        (row,) = rows_of(state)
        assert (row.outcome, runner.waiting) == ("succeeded", 0)
        assert "the state database refused the whole record: OverflowError" in row.reason
        assert f"what run {run_id} of task reported last is not kept: " in caplog.text
        state.close()


@pytest.mark.parametrize("error", [SystemExit, AssertionError, NotImplementedError, StopIteration])
def test_a_record_that_raises_loses_no_other(lite_url: URL, error: type[BaseException]) -> None:
    """Given three kept records, the second of which raises what nobody expects, once.

    Whoever writes them may be told. The others must be written, and nobody may wait for ever.
    """
    state, written, raised = small_engine.migrated(lite_url), list[int](), [error()]

    def write(number: int, connection: Connection) -> None:
        if number == 2 and raised:
            raise raised.pop()
        written.append(number)

    journal = Journal(state)
    records = [journal.add(Record(partial(write, number), kept=True)) for number in (1, 2, 3)]
    with suppress(SystemExit, StopIteration):
        journal.flush()
    assert all(record.answered.is_set() for record in records)
    journal.flush()
    assert written[-3:] == [1, 2, 3] and journal.waiting == 0
    state.close()


@pytest.mark.parametrize(("races", "written"), [(4, True), (5, False)])
def test_a_batch_that_lost_a_race_is_written_again(lite_url: URL, races: int, written: bool) -> None:
    # Given: two records. What happens: the second loses a race, as after a deadlock, four or five times.
    # What must hold: after four lost races both are written, once; after five the journal gives way, and both wait.
    state, tries = small_engine.migrated(lite_url), list[int]()

    def write(connection: Connection) -> None:
        tries.append(len(tries))
        if len(tries) <= races:
            raise Unavailable("a deadlock") from pymysql.err.OperationalError(1213, "Deadlock found")

    def add(connection: Connection) -> None:
        connection.execute(insert(config_rows).values(digest=b"one", content="one"))

    journal = Journal(state)
    for record in (Record(add, kept=True), Record(write, kept=True)):
        journal.add(record)
    journal.settle()
    with state.read() as connection:
        kept = connection.execute(select(config_rows.c.content)).scalars().all()
    assert (len(kept), journal.waiting) == ((1, 0) if written else (0, 2))
    state.close()


def test_a_transaction_ends_after_a_second(lite: Runner, tmp_path: Path) -> None:
    # Given: a slow state database: each of 300 records takes 0.4 s, and leases are renewed meanwhile.
    # What must hold: a transaction has three records, in their order, and others have their turn after it.
    # Such a leader does not stand still.
    moment, written, transactions = [time.monotonic()], list[int](), list[object]()
    paused = list[float]()
    journal = Journal(lite.state, clock=lambda: moment[0], sleep=paused.append)
    lite.renewal.renewed(0.0)
    still = Standstill(Heartbeat(tmp_path / "beat"), journal, lite.renewal, lambda: moment[0])

    def write(number: int, connection: Connection) -> None:
        moment[0] += 0.4
        written.append(number)
        transactions.append(connection.get_transaction())
        assert still.why() is None, moment

    records = [journal.add(Record(partial(write, number), kept=True)) for number in range(300)]
    assert journal.flush()
    assert written == list(range(300)) and all(record.answered.is_set() for record in records)
    assert [transactions.count(one) for one in dict.fromkeys(transactions)] == [3] * 100
    assert paused == [PAUSE_SECONDS] * 99


def test_a_flush_ends_in_its_time_and_the_next_goes_on(lite_url: URL) -> None:
    moment, written = [0.0], list[int]()
    state = small_engine.migrated(lite_url)
    journal = Journal(state, clock=lambda: moment[0], sleep=lambda seconds: None)

    def write(number: int, connection: Connection) -> None:
        moment[0] += 0.4
        written.append(number)

    for number in range(10):
        journal.add(Record(partial(write, number), kept=True))
    assert not journal.flush(wait=False, seconds=2.0)
    assert (written, journal.waiting) == ([0, 1, 2, 3, 4, 5], 4)
    assert journal.flush(wait=False, seconds=2.0) and written == list(range(10))
    state.close()


def test_a_record_refused_in_a_slow_batch_is_alone(lite_url: URL) -> None:
    # Given: records of 0.4 s each, of which one is refused. What must hold: all others are written, once.
    moment, written = [0.0], list[int]()
    state = small_engine.migrated(lite_url)
    journal = Journal(state, clock=lambda: moment[0], sleep=lambda seconds: None)

    def write(number: int, connection: Connection) -> None:
        moment[0] += 0.4
        if number == 1:
            raise ValueError("not this one")
        connection.execute(insert(config_rows).values(digest=bytes([number]), content="x"))
        written.append(number)

    records = [journal.add(Record(partial(write, number))) for number in range(6)]
    journal.flush()
    with state.read() as connection:
        assert len(connection.execute(select(config_rows.c.content)).all()) == 5
    assert [record.error is None for record in records] == [True, False, True, True, True, True]
    state.close()


def test_a_record_that_hangs_still_waits(lite_url: URL) -> None:
    # Given: a record whose writing hangs. What happens: another thread looks whether something is to be written.
    # What must hold: something is, and since when it waits stays known: a standstill is told by it.
    state, began, let_go = small_engine.migrated(lite_url), threading.Event(), threading.Event()

    def write(connection: Connection) -> None:
        began.set()
        let_go.wait(30)

    journal = Journal(state)
    record = journal.add(Record(write))
    since, thread = journal.waits_since, threading.Thread(target=journal.settle, args=(record,))
    thread.start()
    assert began.wait(30)
    journal.flush(wait=False)
    assert since is not None and (journal.waiting, journal.waits_since) == (1, since)
    let_go.set()
    thread.join(30)
    assert (journal.waiting, journal.waits_since) == (0, None)
    state.close()


def test_of_too_many_records_the_newest_are_kept(
    lite_url: URL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("janitor.engine.journal.MOST_WAITING", 3)
    state, written = small_engine.migrated(lite_url), list[int]()
    journal = Journal(state)
    state.stop("away")
    for number in range(5):
        journal.add(Record(partial(lambda number, connection: written.append(number), number), kept=True))
    journal.settle()
    state.stop("")
    journal.flush()
    assert written == [2, 3, 4] and "2 records are given up: too many wait" in caplog.text
    state.close()


def test_of_too_many_lost_slots_none_is_given_up(lite: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a state database that is away, and says so in other words each second. What happens: more slots are lost
    # than records may wait. What must hold: once it is back, each slot has its outcome.
    monkeypatch.setattr("janitor.engine.journal.MOST_WAITING", 10)
    trigger, first = schedules.every(1), now().replace(microsecond=0)
    lite.state.stop("away")
    for number in range(30):
        at, reason = first + number * SECOND, ("it hangs", "it refuses")[number % 2]
        lite.lost(LostSlots("task", at, at, 1, Outcome.FAILED, reason, trigger))
    assert lite.waiting <= 11
    lite.state.stop("")
    lite.flush()
    assert small_engine.check_slots(lite.state, "task", trigger) == 30
    assert "it refuses; later slots were lost for other reasons" in {row.reason for row in rows_of(lite.state)}


def test_whoever_renews_leases_waits_for_no_locked_file(
    lite_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a record that waits. What happens: another process has the file to itself for a second, when the keeper
    # comes to write it. What must hold: the keeper does not wait, and goes on to renew leases; the record is not lost.
    monkeypatch.setattr(database, "STATEMENT_SECONDS", 0.05)
    at, path = now().replace(microsecond=0), str(lite_url.database)
    with (
        runner_for(settings_for(lite_url, tmp_path)) as runner,
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other,
    ):
        runner.state.stop("away")
        runner.lost(LostSlots("task", at, at, 1, Outcome.FAILED, "it hangs", schedules.every(1)))
        runner.state.stop("")
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(1.0, other.execute, ("COMMIT",))
        end.start()
        with pytest.raises(Unavailable):
            runner.save()
        end.join()
        assert runner.waiting == 1
        runner.save()
        assert (runner.waiting, outcomes(runner.state)) == (0, ["failed"])


def test_what_cannot_be_recorded_is_an_obstacle_while_it_waits(lite_url: URL) -> None:
    # Given: a state database without tables. What happens: records fail, again and again; one of them is kept.
    # What must hold: that hinders recording until what waits is written, and no longer.
    make_file(Path(str(lite_url.database)))
    state, obstacles = State(lite_url), Obstacles()
    journal = Journal(state, obstacles)

    def write(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO t (n) VALUES (1)")

    for _ in range(2):
        journal.settle(journal.add(Record(write)))
    assert [one.duty for one in obstacles.troubles] == ["recording"]
    journal.flush()
    assert obstacles.troubles == [] and journal.waits_since is None
    journal.add(Record(write, kept=True))
    for _ in range(2):
        journal.settle()
    assert [one.duty for one in obstacles.troubles] == ["recording"] and journal.waits_since is not None
    journal.waits_since = 0.0
    journal.settle()
    assert journal.waits_since > 0, "the state database says no: nobody could write it"
    with state.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    journal.flush()
    assert obstacles.troubles == [] and journal.waits_since is None
    state.close()
