"""The engine in a test: a runner that leads, a clock that goes until something is so."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import URL, Row, insert, select

from janitor.databases.places import family
from janitor.engine.daemon import Daemon
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.jobs import Job, schedules
from janitor.jobs.slots import Slots, next_slot, slots_between
from janitor.logs import set_up
from janitor.logs.mask import Mask, mask_for
from janitor.logs.run_log import RunLog
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, holders, leases
from janitor.state.leases import DAEMON
from janitor.state.run_records import BY_HAND, Ending
from janitor.state.shared_clock import SharedClock
from janitor.state.tables import jobs as job_table
from janitor.state.tables import metadata, run_logs, runs
from run import SETTINGS_OF_TASKS
from tests.servers import SqlServer

PATIENCE_SECONDS = 30.0
SECOND = timedelta(seconds=1)
ROOT = Path(__file__).parent.parent


def text_of(url: URL) -> str:
    """A URL as an environment variable holds it."""
    return url.render_as_string(hide_password=False)


def settings_for(url: URL, folder: Path, **more: str) -> Settings:
    """Settings with a state database, a heartbeat file in `folder`, and a short lease."""
    environment = {"STATE_DATABASE_URL": text_of(url), "HEARTBEAT_FILE": str(folder / "heartbeat")}
    short = {"LEASE_SECONDS": "2", "GRACE_SECONDS": "5"}
    return Settings.load(environment | short | more, dotenv=None, of_tasks=SETTINGS_OF_TASKS)


def empty_state(request: pytest.FixtureRequest, folder: Path) -> URL:
    """A state database with its tables and without rows, on the kind of server that is the fixture's parameter.

    The tables are made once for all tests; SQLite's file is copied, the server's tables are emptied.
    """
    if request.param == "sqlite":
        return lite_state(folder / "state.db")
    server: SqlServer = request.getfixturevalue("mariadb")
    if "mariadb" not in _made:
        _made["mariadb"] = server.create_database()
        migrated(_made["mariadb"]).close()
    url: URL = _made["mariadb"]
    server.execute(*(f"DELETE FROM `{url.database}`.`{table.name}`" for table in reversed(metadata.sorted_tables)))
    return url


def lite_state(path: Path) -> URL:
    """A SQLite file with the tables and without rows."""
    if "sqlite" not in _made:
        first = Path(f"{path}.first")
        state = State(URL.create("sqlite", database=str(first)))
        state.migrate()
        state.close()
        _made["sqlite"] = first.read_bytes()
        first.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_made["sqlite"])
    return URL.create("sqlite", database=str(path))


_made: dict[str, Any] = {}
DATABASES = ("sqlite", "mariadb")


def migrated(url: URL, clock: SharedClock | None = None) -> State:
    """A state database with its tables; `clock` tells its time, if the test sets it.

    A new SQLite file is a copy of one that was migrated once for all tests.
    """
    if url.database and family(url) == "sqlite" and not Path(url.database).exists():
        lite_state(Path(url.database))
    state = State(url, clock=clock)
    state.migrate()
    return state


@contextmanager
def logging_to(settings: Settings) -> Iterator[tuple[Mask, RunLog]]:
    """Janitor's logging for the length of a block, over what pytest set up."""
    mask = mask_for(settings)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, logging_restored() as root:
        handlers = root.handlers[:]
        run_log = set_up.set_up(settings, mask, nowhere)
        root.handlers[:] = [*handlers, run_log]
        yield mask, run_log


@contextmanager
def logging_restored() -> Iterator[logging.Logger]:
    """Leave logging after a block as it was before; give the root logger."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    try:
        yield root
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        threading.excepthook = hook


@contextmanager
def runner_for(settings: Settings, leads: bool = True, clock: SharedClock | None = None) -> Iterator[Runner]:
    """A runner on the settings' state database; if it `leads`, it holds the daemon's lease for a minute.

    `clock` tells the state database's time and the host's, if the test sets them.
    """
    state = migrated(settings.state_database_url, clock)
    with logging_to(settings) as (mask, run_log):
        runner = Runner(state, settings, holders.new_holder(60 if leads else settings.lease_seconds), mask, run_log)
        if leads:
            with state.begin() as connection:
                now = state.now(connection)
                runner.leadership.take(leases.acquire(connection, DAEMON, runner.holder, now, 60))
        yield runner
        state.close()


def job_of(func: Callable[..., object], *args: Any, id: str = "task", **options: Any) -> Job:
    """A job that is due every hour, for a runner that is asked by hand."""
    trigger = schedules.every(3600)
    return Job(id, func, args, {}, trigger, **options)


def nothing() -> None:
    """A task that does nothing."""


def run_by_hand(runner: Runner, func: Callable[..., object], *args: Any, **options: Any) -> tuple[int, Ending]:
    """Run a task once, to its end."""
    finished = runner.execute(job_of(func, *args, **options), Slot(None, BY_HAND))
    assert finished is not None
    return finished


def eventually(found: Callable[[], Any], what: str | Callable[[], str] = "", seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until something is true, and return it; fail after `seconds` and say what is not so."""
    end = time.monotonic() + seconds
    while not (value := found()):
        late = time.monotonic() > end
        assert not late, f"still not so after {seconds:g} s: {what() if callable(what) else what or found}"
        time.sleep(0.02)
    return value


def tick(scheduler: Scheduler, runner: Runner, until: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> bool:
    """Let the clock go in this thread until something is so, then stop in order; whether it came to be so."""
    return run_until(scheduler.daemon(runner), until, seconds)


def run_until(daemon: Daemon, until: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> bool:
    """As `tick`, with a daemon that is made already."""
    met: list[bool] = []

    def watch() -> None:
        end = time.monotonic() + seconds
        try:
            while not (so := bool(until())) and time.monotonic() < end:
                time.sleep(0.02)
            met.append(so)
        finally:
            daemon.ask_to_stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    daemon.run()
    watcher.join(seconds)
    return met == [True]


def rows_of(state: State, job: str | None = None) -> Sequence[Row[Any]]:
    """The records of a job, or of all, in the order of their ids."""
    query = select(runs).order_by(runs.c.id)
    with state.read() as connection:
        return connection.execute(query if job is None else query.where(runs.c.job == job)).all()


def lines_of(state: State, run_id: int) -> list[str]:
    """What a run logged, less the engine's own lines."""
    engine = run_logs.c.logger.like("janitor.engine.%")
    query = select(run_logs.c.message).where(run_logs.c.run_id == run_id, ~engine)
    with state.read() as connection:
        return list(connection.execute(query.order_by(run_logs.c.id)).scalars())


def outcomes(state: State, job: str | None = None) -> list[str | None]:
    """The outcomes of a job's records."""
    return [row.outcome for row in rows_of(state, job)]


def ended(runner: Runner, job: str, count: int = 1) -> Callable[[], bool]:
    """Whether a job has so many records that are closed, each time it is asked."""
    return lambda: len([outcome for outcome in outcomes(runner.state, job) if outcome]) >= count


def remember(state: State, job: str, enabled_at: datetime, enabled: bool = True, schedule: str = "x") -> None:
    """Let the state database know a job from an earlier start."""
    with state.begin() as connection:
        connection.execute(insert(job_table).values(id=job, schedule=schedule, enabled=enabled, enabled_at=enabled_at))


def remember_run(state: State, job: str, slot_at: datetime, outcome: str | None = "succeeded", **more: Any) -> None:
    """Put a run of an earlier start into the history."""
    values = {
        "job": job,
        "origin": "schedule",
        "slot_at": slot_at,
        "slot_until_at": slot_at,
        "slots": 1,
        "outcome": outcome,
        "started_at": slot_at,
        "attempts": 1,
        "dry_run": False,
        "holder": "gone",
        **more,
    }
    with state.begin() as connection:
        connection.execute(insert(runs).values(values))


def check_slots(state: State, job: str, trigger: BaseTrigger) -> int:
    """Make sure that a job's records cover each slot from the first to the last exactly once; how many there are."""
    rows = sorted((row for row in rows_of(state, job) if row.slot_at is not None), key=lambda row: row.slot_at)
    before: datetime | None = None
    for row in rows:
        found = slots_between(trigger, row.slot_at - timedelta(microseconds=1), row.slot_until_at)
        assert found == Slots(row.slot_at, row.slot_until_at, row.slots), row
        if before is not None:
            assert next_slot(trigger, before) == row.slot_at, (before, row)
        before = row.slot_until_at
    return sum(row.slots for row in rows)


def now() -> datetime:
    """This moment."""
    return datetime.now(timezone.utc)
