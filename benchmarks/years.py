"""Years in production: what starts, pages, verbs and pruning cost with 1,000,000 runs of 1,000 jobs.

The state database is a SQLite file, and then on a MariaDB with its default buffer pool of 128 MB.
"""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL

from benchmarks import clockwork
from benchmarks.clockwork import Started
from benchmarks.house import House
from benchmarks.long_history import fill
from benchmarks.measures import Line, seconds_of
from benchmarks.processes import ROOT, Failed
from benchmarks.years_house import RHYTHM_SECONDS
from janitor.engine.pruning import LEAST_PAUSE_SECONDS, Pruning
from janitor.engine.runner import Runner
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.settings import Settings
from janitor.state import State, holders, leases
from tests.servers import MariaDB

RUNS, JOBS, LINES = 1_000_000, 1_000, 5
PRUNING_SECONDS = 60.0
PAGES = (
    "/", "/jobs", "/jobs?offset=500", "/jobs/job_7", "/history", "/history?job=job_7", "/history?outcome=failed",
    "/history?what=runs", "/history?what=actions", "/graph", "/notices", "/runs/500", "/api/jobs", "/api/jobs/job_7",
    "/api/jobs/job_7/runs", "/api/runs", "/api/runs?outcome=failed", "/api/runs/500", "/api/runs/500/log",
    "/api/overview", "/api/graph", "/api/actions", "/api/notices", "/health/ready", "/health/jobs",
)  # fmt: skip
VERBS = (
    "jobs",
    "history",
    "history job_7",
    "show 500",
    "pause job_7",
    "resume job_7",
    "quarantine",
    "notices",
    "health",
)


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure both kinds of state databases."""
    del house, rivals  # the history is made up, and no rival has one
    with clockwork.empty_folder() as folder:
        url = URL.create("sqlite", database=str(folder / "state.db"))
        lines = of_database(url, "SQLite", folder)
    with ExitStack() as stack:
        folder = stack.enter_context(clockwork.empty_folder())
        server = MariaDB("--innodb-buffer-pool-size=128M", "--innodb-flush-log-at-trx-commit=1")
        stack.callback(server.close)
        server.start()
        return lines + of_database(server.create_database(), "MariaDB, 128 MB", folder)


def of_database(url: URL, kind: str, folder: Path, runs: int = RUNS, jobs: int = JOBS) -> list[Line]:
    """Fill an empty database, and measure all."""
    state = State(url)
    state.migrate()
    fill(state, runs, jobs, LINES, rhythm_seconds=RHYTHM_SECONDS)
    state.close()
    environment = {
        "JOBS": str(jobs), "STATE_DATABASE_URL": url.render_as_string(hide_password=False), "WEB_PORT": "0",
        "HEARTBEAT_FILE": str(folder / "heartbeat"), "HISTORY_RUNS": "1000000",
    }  # fmt: skip
    told = f"{kind}, {runs:,} runs"
    with _daemon(folder, environment) as daemon:
        leading = _seconds_to_lead(daemon)
        first, after = _slowest_pages(daemon)
        verb = max(seconds_of(lambda: _do(line, folder, environment)) for line in VERBS)
    rate, wait = prune(url, folder, first_days(runs, jobs))
    return [
        Line(f"{told}: from the process to leading", leading, "s", "<= 2 s", leading <= 2),
        Line(f"{told}: the slowest page or API call, the first time", first, "ms", "<= 300 ms", first <= 300),
        Line(f"{told}: the slowest page or API call, after that", after, "ms", "<= 100 ms", after <= 100),
        Line(f"{told}: the slowest verb, as a process", verb, "s", "<= 1.5 s", verb <= 1.5),
        Line(f"{told}: pruning a backlog", rate, "runs/s", ">= 1,200 runs/s", rate >= 1_200),
        Line(f"{told}: the longest that a record waits meanwhile", wait, "s", "<= 0.5 s", wait <= 0.5),
    ]


def first_days(runs: int, jobs: int) -> int:
    """After how many days a run is old, so that most of the history is."""
    return max(1, runs // jobs * RHYTHM_SECONDS // 86_400 // 10)


@contextmanager
def _daemon(folder: Path, environment: dict[str, str]) -> Iterator[Started]:
    with clockwork.process(folder, ["-m", "benchmarks.years_house", "start"], environment) as started:
        yield started


def _seconds_to_lead(daemon: Started) -> float:
    def line() -> re.Match[str] | None:
        text = (daemon.folder / "log").read_text(encoding="utf-8", errors="replace")
        return re.search(r"^(\S+ \S+).*leading with", text, re.MULTILINE)

    clockwork.wait_for(line, 60)
    return time.time() - daemon.at


def _slowest_pages(daemon: Started) -> tuple[float, float]:
    """The slowest of all pages, asked for the first time and after that: milliseconds."""
    found = re.search(r"the dashboard is at (\S+)", (daemon.folder / "log").read_text(encoding="utf-8"))
    if found is None:
        raise Failed(f"no dashboard: {daemon.said()}")
    _get(f"{found[1]}/health/live")  # the server is made at the first visit
    seconds = [[seconds_of(lambda: _get(f"{found[1]}{page}")) for _ in range(3)] for page in PAGES]
    for page, (first, *more) in zip(PAGES, seconds, strict=True):
        print(f"{page}: {first * 1000:.0f} ms, then {max(more) * 1000:.0f} ms", file=sys.stderr)
    return max(first for first, *_ in seconds) * 1000, max(max(more) for _, *more in seconds) * 1000


def _get(address: str) -> None:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            answer.read()
    except urllib.error.HTTPError as exc:
        if exc.code != 503:  # that a job is overdue is an answer too
            raise


def _do(line: str, folder: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "benchmarks.years_house", *line.split()]
    whole = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True)
    if ended.returncode not in (0, 1):
        raise Failed(f"{line} ended with {ended.returncode}: {ended.stderr[-2000:]}")


def prune(url: URL, folder: Path, days: int) -> tuple[float, float]:
    """Prune for a minute at most: how many runs went each second, and how long another writer waited at the longest."""
    given = {"STATE_DATABASE_URL": url.render_as_string(hide_password=False), "HEARTBEAT_FILE": str(folder / "beat")}
    settings = Settings.load(given | {"HISTORY_DAYS": str(days)}, dotenv=None)
    state, mask = State(url), Mask()
    runner = Runner(state, settings, holders.new_holder(), mask, RunLog(mask))
    with state.begin() as connection:
        lease = leases.acquire(connection, leases.DAEMON, runner.holder, state.now(connection), 3_600)
    runner.leadership.take(lease)
    waits, over = list[float](), threading.Event()
    writer = threading.Thread(target=_write_now_and_then, args=(state, waits, over))
    writer.start()
    began, gone = time.perf_counter(), 0
    for step in Pruning(state, settings, {}, runner.leadership).round(datetime.now(UTC)):
        gone += step.gone
        time.sleep(max(LEAST_PAUSE_SECONDS, step.seconds))
        if not step.gone or time.perf_counter() - began > PRUNING_SECONDS:
            break
    seconds = time.perf_counter() - began
    over.set()
    writer.join()
    state.close()
    return gone / seconds, max(waits)


def _write_now_and_then(state: State, waits: list[float], over: threading.Event) -> None:
    """Write a little ten times a second, as the record of a run does."""
    while not over.wait(0.1):
        began = time.perf_counter()
        with state.begin() as connection:
            leases.acquire(connection, "benchmark", "me", datetime.now(UTC), timedelta(seconds=9).total_seconds())
        waits.append(time.perf_counter() - began)
