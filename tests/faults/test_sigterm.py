"""SIGTERM at any moment: the daemon ends within its grace, and every run has one outcome."""

import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.state import State, leases
from janitor.terminal.exit_codes import SUCCEEDED
from tests.daemons import Daemon, daemons
from tests.faults import states_daemon
from tests.faults.proxy import Proxy
from tests.fixtures import Exchange
from tests.servers import Broker, SqlServer
from tests.small_engine import eventually, migrated, now, outcomes, rows_of, text_of

GRACE_SECONDS = 3.0
SLACK_SECONDS = 10.0
"""For recording and closing after the grace, on a busy machine."""

Start = Callable[..., Daemon]


@pytest.fixture
def url(tmp_path: Path) -> URL:
    return URL.create("sqlite", database=str(tmp_path / "state.db"))


@pytest.fixture
def state(url: URL) -> Iterator[State]:
    made = migrated(url)
    yield made
    made.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    grace = str(GRACE_SECONDS)
    with daemons("tests.faults.states_daemon", tmp_path, GRACE_SECONDS=grace, LEASE_SECONDS="30") as start:
        yield start


def stopped(daemon: Daemon, within: float = GRACE_SECONDS + SLACK_SECONDS) -> float:
    """Send SIGTERM, and return how many seconds the daemon took to end in good order."""
    began = time.monotonic()
    assert daemon.end(seconds=60) == SUCCEEDED, daemon.text[-3000:]
    took = time.monotonic() - began
    assert took < within, daemon.text[-3000:]
    # If its state database hangs, the process ends when its time is over.
    assert re.search(" stopped|the process ends now", daemon.text) and "Traceback" not in daemon.text
    return took


def ended(state: State) -> dict[str, tuple[str | None, str | None]]:
    """Return the outcome and reason of each job's only run."""
    rows = rows_of(state)
    assert len({row.job for row in rows}) == len(rows)
    return {row.job: (row.outcome, row.reason) for row in rows}


@pytest.mark.whole_form
def test_idle_it_ends_at_once(url: URL, state: State, start: Start) -> None:
    daemon = start(url, JOBS="quiet")
    daemon.says("leading with")
    stopped(daemon)
    assert ended(state) == {}


@pytest.mark.slow
def test_starting_up_it_leaves_no_open_run(url: URL, start: Start, whole: bool, faults_seed: int) -> None:
    chance = random.Random(faults_seed)
    for _ in range(20 if whole else 3):
        daemon = start(url, JOBS="quiet checking")
        time.sleep(chance.uniform(0.05, 2.0))
        # Until Python listens to signals, SIGTERM ends it like any process.
        assert daemon.end(seconds=30) in (SUCCEEDED, -signal.SIGTERM), daemon.text[-2000:]
    last = start(url, JOBS="quiet checking", name="last")
    last.says("leading with")
    stopped(last)
    state = migrated(url)
    assert set(outcomes(state)) <= {"interrupted"} and len(rows_of(state)) <= 4
    state.close()


@pytest.mark.slow
def test_tasks_end_at_their_safe_points(
    url: URL, state: State, start: Start, rabbitmq: Broker, exchange: Exchange
) -> None:
    """Given: jobs that sleep, wait for a lease, wait for a retry, and publish without confirms, all at once.

    Happens: SIGTERM.
    Must hold: each run ends at its next safe point as interrupted, and none delays the others.
    """
    with state.begin() as connection:
        assert leases.acquire(connection, states_daemon.LEASE, "somebody", now(), 600)
    jobs = ("checking", "child", "failing", "waiting", "publishing")
    daemon = start(url, JOBS=" ".join(jobs), EXCHANGE=exchange.name, **rabbitmq.environment())
    daemon.says("in checking", 2)
    for words in ("attempt 1 of 10 failed", "in waiting", "in publishing"):
        daemon.says(words)
    rabbitmq.ctl("set_vm_memory_high_watermark", "0.0000001")
    try:
        eventually(lambda: "blocked" in rabbitmq.ctl("list_connections", "state"))
        stopped(daemon)
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    assert ended(state) == {job: ("interrupted", "the daemon was asked to stop") for job in jobs}


@pytest.mark.slow
def test_tasks_without_safe_points_are_cut_off(url: URL, state: State, start: Start, mariadb: SqlServer) -> None:
    """Given: three runs without a safe point, in a thread, in a process and in a statement, and one run with.

    Happens: SIGTERM.
    Must hold: the daemon ends after its grace, and each run is interrupted with its own reason.
    """
    daemon = start(url, JOBS="deaf deaf_child asking checking", ASKED_URL=text_of(mariadb.create_database()))
    daemon.says("in deaf", 2)
    daemon.says("in checking")
    eventually(lambda: statements(mariadb))
    assert stopped(daemon) >= GRACE_SECONDS - 0.1
    found = ended(state)
    assert {outcome for outcome, _ in found.values()} == {"interrupted"} and len(found) == 4
    assert found["checking"][1] == "the daemon was asked to stop"
    cut_off = f"it came to no safe point within {GRACE_SECONDS:g} s of the daemon being asked to stop"
    assert found["deaf"][1] == found["asking"][1] == cut_off


def statements(server: SqlServer) -> list[str]:
    """Return the long statements that the server works at."""
    shown = server.execute("SELECT info FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(6%'")
    return [row[0] for row in shown]


@pytest.mark.slow
def test_standing_by_it_ends_at_once(url: URL, state: State, start: Start) -> None:
    leader = start(url, "leader", JOBS="checking")
    leader.says("in checking")
    follower = start(url, "follower", JOBS="checking")
    follower.says("standing by")
    stopped(follower)
    assert ended(state) == {"checking": (None, None)}
    stopped(leader)
    assert ended(state) == {"checking": ("interrupted", "the daemon was asked to stop")}


@pytest.mark.slow
@pytest.mark.parametrize("how", [pytest.param("refuses", marks=pytest.mark.whole_form), "hangs"])
def test_without_its_state_the_next_start_closes_runs(
    mariadb: SqlServer, start: Start, tmp_path: Path, how: str
) -> None:
    """Given: a daemon with a run, and a state database that is cut off or hangs.

    Happens: SIGTERM, and later the next start with the state database back.
    Must hold: the daemon ends in time; the next start records the run as interrupted.
    """
    direct = mariadb.create_database()
    state = migrated(direct)
    with Proxy(str(direct.host), int(direct.port or 3306)) as proxy:
        daemon = start(direct.set(port=proxy.port), JOBS="checking")
        daemon.says("in checking")
        with proxy.away() if how == "refuses" else proxy.hanging():
            stopped(daemon)
    assert ended(state) == {"checking": (None, None)}
    following = start(direct, "following", JOBS="checking")
    following.says("leading with")
    assert ended(state) == {"checking": ("interrupted", "the process that ran it is gone")}
    stopped(following)
    state.close()


@pytest.mark.slow
def test_a_state_that_hangs_after_the_grace_is_told(mariadb: SqlServer, start: Start) -> None:
    """Given: a run that uses up the whole grace, and a state database that hangs.

    Happens: SIGTERM.
    Must hold: before the process ends, it tells what becomes of the run.
    """
    direct = mariadb.create_database()
    migrated(direct).close()
    with Proxy(str(direct.host), int(direct.port or 3306)) as proxy:
        daemon = start(direct.set(port=proxy.port), JOBS="deaf")
        daemon.says("in deaf")
        with proxy.hanging():
            stopped(daemon)
    assert "the state database does not answer: the next start records" in daemon.text
