"""Tasks that fork: a child ends itself and nothing else.

Given: a task that makes child processes, in each way in which Python can.
What happens: the child returns to the engine, ends, is told to end, or goes on for long.
What must hold: its run has the outcome of the parent. The daemon's connections serve on. The child ends when told.
"""

import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import memory
from janitor.engine.runner import Runner
from janitor.feeds import position_after
from janitor.runs import current_run
from janitor.runs.forks import signals_taken
from janitor.state import State, cursors
from tests.daemons import daemons
from tests.engine.children import alive
from tests.servers import SqlServer
from tests.small_engine import eventually, migrated, outcomes, rows_of, run_by_hand

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
FORK = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def as_in_a_daemon() -> Iterator[None]:
    """The signals are the daemon's."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with signals_taken(dict.fromkeys((signal.SIGTERM, signal.SIGINT), lambda number, frame: None)):
        yield
    signal.signal(signal.SIGTERM, before)


def square(number: int) -> int:
    return number * number


def with_pool() -> dict[str, int]:
    with FORK.Pool(2) as pool:
        return {"sum": sum(pool.map(square, range(5)))}


def with_executor() -> dict[str, int]:
    with ProcessPoolExecutor(2, mp_context=FORK) as pool:
        return {"sum": sum(pool.map(square, range(5)))}


def with_child_told_to_end() -> dict[str, int | None]:
    child = FORK.Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join()
    return {"sum": 30 if child.exitcode == -signal.SIGTERM else child.exitcode}


def forking(act: Callable[[], object], code: int) -> Callable[[], object]:
    """A task whose child does something, and then goes on as if it were the task."""

    def task() -> object:
        pid = os.fork()
        if pid == 0:
            return act()
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return {"sum": 30 if ended == code else ended}

    return task


def save_cursor() -> None:
    """Use the state database in a child."""
    memory.save_cursor("task", position_after("7"))
    current_run().progress(1, 2)


def fail() -> None:
    raise ValueError("in the child")


@pytest.mark.parametrize(
    "task",
    [
        with_pool,
        with_executor,
        with_child_told_to_end,
        forking(lambda: {"sum": 1}, 0),
        forking(save_cursor, 0),
        forking(lambda: sys.exit(3), 3),
        forking(fail, 1),
    ],
    ids=["pool", "executor", "told to end", "returns", "writes", "exits", "fails"],
)
def test_a_child_never_ends_its_parent_s_run(runner: Runner, task: Callable[[], object]) -> None:
    run_id, _ = run_by_hand(runner, task, retries=0)
    run_by_hand(runner, lambda: None)
    first, second = rows_of(runner.state)
    assert (first.outcome, json.loads(first.counts or "{}")) == ("succeeded", {"sum": 30}), first.reason
    assert (first.id, second.outcome) == (run_id, "succeeded")


def test_what_a_child_saves_under_the_run_s_leases_counts(runner: Runner) -> None:
    run_by_hand(runner, forking(save_cursor, 0))
    with runner.state.read() as connection:
        assert cursors.load(connection, "task") == position_after("7")


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_child_has_none_of_the_daemon_s_sockets(mariadb: SqlServer, tmp_path: Path, isolation: str) -> None:
    url, port = mariadb.create_database(), free_port()
    state = migrated(url)
    found = tmp_path / "child.json"
    web = {"WEB_ENABLED": "true", "WEB_PORT": str(port), "FOUND": str(found), "VISITED": str(tmp_path / "visited")}
    job = "fork_and_look" + ("/process" if isolation == "process" else "")
    with daemons("tests.hostile_house", tmp_path, JOBS=job, **web) as start:
        daemon = start(url)
        eventually(lambda: state_answers(state))
        with visitor(port):
            Path(web["VISITED"]).touch()
            eventually(found.exists)
            seen = json.loads(found.read_text(encoding="utf-8"))
            assert seen == {"sockets": [], "SIGTERM": "default", "SIGINT": "default", "SIGHUP": "default"}
            daemon.says("told=-15")
        assert daemon.end() == 0
    assert outcomes(state) == ["succeeded"]
    state.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def visitor(port: int) -> socket.socket:
    """Somebody who looks at the dashboard, and stays."""
    eventually(lambda: listening(port))
    made = socket.create_connection(("127.0.0.1", port))
    made.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    made.settimeout(30)
    assert b"200 OK" in made.recv(1000)
    return made


def listening(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def state_answers(state: State) -> bool:
    return bool(rows_of(state))


def test_the_state_of_sqlite_outlives_a_child_that_ends(lite: Runner, lite_url: URL) -> None:
    # SQLite's files suffer if a child closes what its parent has open.
    for _ in range(3):
        run_by_hand(lite, forking(lambda: None, 0))
    again = migrated(lite_url)
    assert outcomes(again) == ["succeeded"] * 3
    again.close()


@pytest.mark.slow
def test_a_task_in_a_process_dies_with_a_daemon_that_is_killed(tmp_path: Path) -> None:
    # A child that another task has forked holds open all that the daemon had open.
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    environment = {"JOBS": "stay_with_program/process leave_child", "LEAVE_CHILD_SCHEDULE": "every 1s"}
    with daemons("tests.hostile_house", tmp_path, **environment) as start:
        daemon = start(url)
        daemon.says("at work: ")
        daemon.says(" pid=", daemon.text.count(" pid=") + 2)
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
    pids = [int(pid) for pid in daemon.text.partition("at work: ")[2].split()[:2]]
    eventually(lambda: not any(alive(pid) for pid in pids))
    for left in daemon.text.split(" pid=")[1:]:
        os.kill(int(left.split()[0]), signal.SIGKILL)
