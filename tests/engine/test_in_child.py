"""Inside a child process: its run and its log are as in the parent's process, and what it tells can be sent."""

import json
import logging
import multiprocessing
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO, cast

import pytest
from sqlalchemy import URL, text

from janitor import databases, memory
from janitor.engine import in_child
from janitor.engine.in_child import LOG, PRINTED, PROGRESS, About, Line, Sent, Traced
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import StatementTimeout
from janitor.logs.mask import Mask
from janitor.runs import Fence, Outcome, Run, current_run
from janitor.settings import Settings
from janitor.state import State, cursors, holders, leases
from janitor.state.clocks import boot_clock
from janitor.state.database import clock_of
from janitor.state.run_records import SCHEDULE
from tests.servers import SqlServer
from tests.small_engine import (
    job_of,
    lines_of,
    logging_to,
    migrated,
    outcomes,
    rows_of,
    run_by_hand,
    runner_for,
    settings_for,
    text_of,
)

log = logging.getLogger("some.library")


@pytest.fixture
def secretive(lite_url: URL, tmp_path: Path) -> Iterator[Runner]:
    """A runner on SQLite that has a password to hide."""
    with runner_for(settings_for(lite_url, tmp_path, RABBITMQ_PASSWORD="very-secret")) as made:
        yield made


def all_is_well(word: str, parent: int) -> dict[str, object]:
    run = current_run()
    log.warning("%s very-secret", word)
    try:
        raise KeyError("inner")
    except KeyError:
        log.exception("odd")
    run.progress(3, 20, "part", note="begun")
    with run.state.begin(*run.fences.values()) as connection:
        cursors.save(connection, "feed", "seven", run.started_at, run.id)
        fence = leases.acquire(connection, "exclusive", run.holder, run.state.now(connection), 60)
    finite = run.remaining_seconds < 3600
    return {"own": os.getpid() != parent, "id": run.id, "job": run.job, "lease": fence is not None, "finite": finite}


def tell_all(until: str) -> dict[str, object]:
    run = current_run()
    began = time.monotonic()
    with suppress(StatementTimeout), databases.read(URL.create("sqlite", database=until)) as connection:
        connection.execute(text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT SUM(i) FROM n"))
    return {
        "dry_run": int(run.dry_run),
        "attempt": run.attempt,
        "slot_at": str(run.slot_at),
        "timeout": run.timeout_seconds,
        "in_time": int(run.remaining_seconds <= 30),
        "limited": int(time.monotonic() - began < 20),
        "fences": ", ".join(f"{fence.name} {fence.token}" for fence in run.fences.values()),
    }


def lose_the_lease() -> None:
    """Save a cursor once another process has taken the run's lease."""
    run = current_run()
    with run.state.begin() as connection:
        for fence in run.fences.values():
            leases.release(connection, fence)
    memory.save_cursor("feed", "eight")


def log_wrongly() -> None:
    log.info("before")
    log.info("%d", "no number")
    log.info("after", extra={"unfit": threading.Lock()})


def test_a_child_s_run_is_as_any_other(secretive: Runner, caplog: pytest.LogCaptureFixture) -> None:
    run_id, _ = run_by_hand(secretive, all_is_well, "hello", os.getpid(), isolation="process")
    (row,) = rows_of(secretive.state)
    assert row.outcome == "succeeded", row.traceback
    counts = json.loads(row.counts)
    assert counts == {"own": True, "id": run_id, "job": "task", "lease": True, "finite": True}
    lines = lines_of(secretive.state, run_id)
    assert lines[0] == "hello ***"
    assert lines[1].startswith("odd\nTraceback") and "KeyError: 'inner'" in lines[1]
    assert json.loads(row.progress) == {"part": {"done": 3, "total": 20, "note": "begun"}}
    # The daemon's own output has the lines too.
    assert "some.library" in caplog.text and "hello" in caplog.text
    with secretive.state.begin() as connection:
        assert cursors.load(connection, "feed") == "seven"


def test_a_child_is_told_all_of_its_run(lite_url: URL, tmp_path: Path) -> None:
    (tmp_path / "read.db").touch()
    slot = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with runner_for(settings_for(lite_url, tmp_path, STATEMENT_TIMEOUT_SECONDS="1")) as made:
        job = job_of(tell_all, str(tmp_path / "read.db"), isolation="process", timeout=30)
        _, ending = made.execute(job, Slot(slot, SCHEDULE), dry_run=True) or (0, None)
    assert ending is not None and ending.counts == {
        "dry_run": 1,
        "attempt": 1,
        "slot_at": str(slot),
        "timeout": 30,
        "in_time": 1,
        "limited": 1,
        "fences": "job:task 1",
    }, ending


def test_a_child_whose_lease_is_lost_writes_nothing(secretive: Runner) -> None:
    _, ending = run_by_hand(secretive, lose_the_lease, isolation="process")
    assert ending.outcome != Outcome.SUCCEEDED
    with secretive.state.begin() as connection:
        assert cursors.load(connection, "feed") is None


@pytest.mark.slow
def test_a_call_that_logs_wrongly_harms_nothing(secretive: Runner) -> None:
    run_id, _ = run_by_hand(secretive, log_wrongly, isolation="process")
    assert outcomes(secretive.state) == ["succeeded"]
    assert lines_of(secretive.state, run_id) == ["before", "after"]


def return_a_lock() -> object:
    return {"unfit": threading.Lock()}


@pytest.mark.slow
def test_what_cannot_be_sent_is_counted_as_a_text(secretive: Runner) -> None:
    run_by_hand(secretive, return_a_lock, isolation="process")
    (row,) = rows_of(secretive.state)
    assert row.outcome == "succeeded" and "_thread.lock" in json.loads(row.counts)["unfit"]


def test_a_run_s_facts_are_those_of_the_run() -> None:
    run = Run(
        id=7,
        job="task",
        slot_at=datetime(2026, 7, 1, tzinfo=UTC),
        dry_run=True,
        deadline=time.monotonic() + 1_000,
        timeout_seconds=3_600,
        attempt=2,
        fences={"job:task": Fence("job:task", 3)},
        holder="me",
        used={"source": 6},
    )
    about = About.of(run)
    assert 0 < about.remaining_seconds <= 1_000
    same = ("id", "job", "slot_at", "started_at", "dry_run", "timeout_seconds", "attempt", "holder", "fences", "used")
    assert [getattr(about, name) for name in same] == [getattr(run, name) for name in same]
    assert about.clock_zero is None


def test_a_child_makes_the_same_run_of_these_facts(lite_url: URL, tmp_path: Path) -> None:
    # Given: a run in its second attempt, and a state database whose file is known. What happens: its facts are sent.
    # What must hold: the run that is made of them is the same, on the same file.
    settings, state = settings_for(lite_url, tmp_path), migrated(lite_url)
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        run = Run(
            id=7,
            job="task",
            slot_at=datetime(2026, 7, 1, tzinfo=UTC),
            dry_run=True,
            deadline=time.monotonic() + 1_000,
            timeout_seconds=3_600,
            attempt=2,
            fences={"job:task": Fence("job:task", 3)},
            state=state,
            holder="me#7",
            used={"source": 6},
        )
        made = in_child.run_of(About.of(run), settings, Line(theirs), Mask([]))
    same = ("id", "job", "slot_at", "started_at", "dry_run", "timeout_seconds", "attempt", "holder", "fences", "used")
    assert [getattr(made, name) for name in same] == [getattr(run, name) for name in same]
    assert 0 < made.remaining_seconds <= 1_000
    assert state.file is not None and made.state.file == state.file
    made.state.close()
    state.close()


def log_in(lab: URL) -> dict[str, str]:
    """Log in to a database of a task's, and to the state database."""
    with databases.read(lab) as connection:
        who = str(connection.exec_driver_sql("SELECT USER()").scalar_one())
    memory.save_cursor("feed", "seven")
    return {"who": who.partition("@")[0]}


@pytest.mark.slow
def test_a_child_logs_in_with_a_password_that_was_rotated(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given: two URLs in files. What happens: the password is rotated at the server and in the files, after the start.
    # What must hold: a task in a process logs in to both databases.
    url = mariadb.create_database()
    migrated(url).close()
    names = ("LAB_DATABASE_URL", "STATE_DATABASE_URL")

    def rotate(password: str) -> None:
        mariadb.execute(f"ALTER USER rotated IDENTIFIED BY '{password}'")
        for name in names:
            (tmp_path / name).write_text(text_of(url.set(username="rotated", password=password)), encoding="utf-8")

    mariadb.execute("DROP USER IF EXISTS rotated", "CREATE USER rotated", f"GRANT ALL ON `{url.database}`.* TO rotated")
    rotate("the old one")
    settings = Settings.load({f"{name}_FILE": str(tmp_path / name) for name in names}, dotenv=None)
    rotate("the new one")
    with logging_to(settings) as (mask, run_log):
        state = State(settings.state_database_url, login=settings.login)
        runner = Runner(state, settings, holders.new_holder(), mask, run_log)
        _, ending = run_by_hand(runner, log_in, settings.needed("LAB_DATABASE_URL"), isolation="process")
        assert ending.counts == {"who": "rotated"}, ending.reason
        state.close()
    mariadb.execute("DROP USER rotated")


def test_a_child_knows_the_state_database_s_clock() -> None:
    url, zero = URL.create("mysql+pymysql", database="none"), datetime(2026, 7, 1, tzinfo=UTC)
    about = About.of(Run(state=State(url, clock=clock_of(url, zero))))
    assert about.clock_zero == zero
    made = clock_of(url, about.clock_zero)
    assert zero < made.now() <= zero + timedelta(seconds=boot_clock())


def test_a_log_line_is_sent_without_what_cannot_be_sent() -> None:
    ours, theirs = multiprocessing.Pipe()
    line = Line(theirs)
    record = logging.LogRecord("some.library", logging.INFO, "file.py", 7, "%d rows", (3,), None)
    record.unfit = threading.Lock()
    line.put_nowait(record)
    line.report(("a", "b"), 3, None, "begun")
    kind, fields = ours.recv()
    again = logging.makeLogRecord(fields)
    assert (kind, again.getMessage(), again.name) == (LOG, "3 rows", "some.library")
    assert (again.levelname, again.pathname, again.lineno) == ("INFO", "file.py", 7)
    assert ours.recv() == (PROGRESS, (("a", "b"), 3, None, "begun"))
    for end in (ours, theirs):
        end.close()


def test_what_is_printed_is_sent_and_the_stream_is_usable(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs, (tmp_path / "out").open("w", encoding="latin-1", errors="replace") as stream:
        sent = Sent(Line(theirs), "stdout", stream)
        subprocess.run(["echo", "of a program"], stdout=cast(TextIO, sent), check=True)
        sent.buffer.write(b"bytes\n")
        print("said", file=sent)
        sent.reconfigure(line_buffering=True)
        about = sent.encoding, sent.errors, sent.isatty(), sent.name, sent.line_buffering
        assert about == ("latin-1", "replace", False, stream.name, False)
        assert (tmp_path / "out").read_text(encoding="latin-1") == "of a program\nbytes\n"
        assert ours.recv() == (PRINTED, ("stdout", "said\n"))


@pytest.mark.parametrize("variables", [True, False])
def test_a_traceback_shows_variables_if_asked_for(variables: bool) -> None:
    traced = Traced(Mask(["very-secret"]), variables)
    password = "-".join(("very", "secret"))
    try:
        raise ValueError("boom")
    except ValueError as exc:
        error, text = exc, traced.formatException((type(exc), exc, exc.__traceback__))
    (raised,) = traced.raised(error)
    kept = dict(raised.frames[-1].variables)
    assert (raised.kind, kept.get("password")) == ("ValueError", "'***'" if variables else None)
    assert "ValueError: boom" in text and ("***" in text) is variables and password not in text
    assert traced.formatException((None, None, None)) == ""
