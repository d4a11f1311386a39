"""The end of the process: it comes in time, whatever tasks have left.

Given: a daemon whose task leaves something for which Python would wait two minutes.
What happens: SIGTERM.
What must hold: the process is gone, with exit code 0, and tells which threads were left.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine import leaving, stopping
from tests.command_line import ROOT, CommandLine
from tests.daemons import Daemon, daemons
from tests.engine.children import alive
from tests.small_engine import eventually, migrated, rows_of

SOON_SECONDS = 60.0
"""Much less than what the tasks of tests/hostile_house.py leave goes on for, and much more than the grace."""


def ended_daemon(folder: Path, job: str) -> Daemon:
    """A daemon that was told to stop after a run of the job; its exit code was 0."""
    url = URL.create("sqlite", database=str(folder / "state.db"))
    with daemons("tests.hostile_house", folder, JOBS=job, GRACE_SECONDS="1") as start:
        daemon: Daemon = start(url)
        daemon.says(f"[{job} 1] {'started' if job == 'stay_in_pool' else 'succeeded'}")
        assert daemon.end(signal.SIGTERM, SOON_SECONDS) == 0
    return daemon


@pytest.mark.parametrize(
    "job", ["leave_pool", *(pytest.param(job, marks=pytest.mark.slow) for job in ("leave_thread", "stay_in_pool"))]
)
def test_threads_left_by_tasks_do_not_hold_up_the_end(tmp_path: Path, job: str) -> None:
    said = ended_daemon(tmp_path, job).text
    assert f"the process ends now; threads left at work: left{'' if job == 'leave_thread' else '_0'} of {job}" in said


@pytest.mark.slow
def test_a_child_left_by_a_task_ends_with_the_daemon(tmp_path: Path) -> None:
    said = ended_daemon(tmp_path, "leave_child").text
    pid = int(said.partition(" pid=")[2].split()[0])
    eventually(lambda: not alive(pid))


@pytest.mark.slow
def test_what_a_task_leaves_for_the_end_does_not_hold_it_up(tmp_path: Path) -> None:
    assert "threads left at work: none" in ended_daemon(tmp_path, "leave_exit").text


@pytest.mark.slow
@pytest.mark.parametrize("job", ["hold_handler", "wait_in_handler"])
def test_a_lock_that_a_task_holds_does_not_hold_up_the_end(tmp_path: Path, job: str) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with daemons(
        "tests.hostile_house", tmp_path, JOBS=f"{job} tell", GRACE_SECONDS="1", TELL_SCHEDULE="every 1s"
    ) as start:
        daemon: Daemon = start(url)
        daemon.says(f"[{job} 1] started")
        assert daemon.end(signal.SIGTERM, SOON_SECONDS) == 0


def test_a_program_that_goes_on_ends_as_it_wants() -> None:
    # Given: a daemon without any grace, in a program of its own. What happens: the daemon has stopped, and the program
    # goes on and ends by itself. What must hold: it has the exit code that it gives.
    program = (
        "import sys\nfrom janitor.engine.leaving import Leaving\n"
        "with Leaving(0) as leaving:\n    leaving.begin()\nsys.exit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 7


@pytest.mark.slow
def test_run_by_a_scheduler_of_its_own_it_ends_too(tmp_path: Path) -> None:
    program = (
        "from janitor.scheduler import Scheduler\nfrom janitor.settings import Settings\n"
        "from tests.hostile_house import leave_pool\n"
        "scheduler = Scheduler(Settings.load(dotenv=None))\n"
        "scheduler.add_job(leave_pool, 'every 1h')\nscheduler.start()\n"
    )
    house = CommandLine(tmp_path, ("-c", program), {"GRACE_SECONDS": "0.5"})
    with house.started() as process:
        assert process.stdout is not None
        while "succeeded" not in process.stdout.readline():
            pass
        assert house.stopped(process).code == 0
    state = migrated(URL.create("sqlite", database=str(tmp_path / "var/janitor.db")))
    assert [row.outcome for row in rows_of(state)] == ["succeeded"]
    state.close()


def test_a_run_by_hand_that_failed_leaves_threads_too(tmp_path: Path) -> None:
    house = CommandLine(
        tmp_path, ("-m", "tests.hostile_house"), {"JOBS": "leave_pool_and_fail", "GRACE_SECONDS": "0.5"}
    )
    ended = house("run", "leave_pool_and_fail")
    assert ended.code == 1 and ended.lines[0].startswith("leave_pool_and_fail failed: ValueError: after all")


LEAVES_A_GROUP = """
import multiprocessing, os, subprocess, time
from janitor.engine.leaving import Leaving

def lead():
    os.setsid()
    print(os.getpid(), subprocess.Popen(["sleep", "120"]).pid, flush=True)
    time.sleep(120)

with Leaving(0) as leaving:
    multiprocessing.get_context("fork").Process(target=lead).start()
    input()
    leaving.begin()
"""


def test_what_a_process_of_a_job_has_started_ends_too() -> None:
    # Given: a process with a session of its own, like that of a job, which has started a program. What happens: the
    # daemon ends without its stop having ended them. What must hold: both are gone.
    with subprocess.Popen(
        [sys.executable, "-c", LEAVES_A_GROUP], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        pids = [int(pid) for pid in program.stdout.readline().split()]
        program.stdin.write("go on\n")
        program.stdin.close()
        assert program.wait(SOON_SECONDS) == 0 and len(pids) == 2
    try:
        eventually(lambda: not any(alive(pid) for pid in pids))
    finally:
        for pid in filter(alive, pids):
            os.kill(pid, signal.SIGKILL)


HANGS = """
import sys, time
from janitor.engine.leaving import Leaving

with Leaving(0, ends_soon=True) as leaving:
    leaving.begin(3)
    if sys.argv[1] == "within":
        time.sleep(120)
time.sleep(120)
"""


@pytest.mark.parametrize("where", ["within", "after"])
def test_a_program_that_hangs_at_its_end_ends_too(where: str) -> None:
    # Given: a program that ends with its daemon. What happens: the stop hangs, or what comes after it: what it says
    # may wait for a reader. What must hold: it has the exit code that it was to have.
    program = [sys.executable, "-c", HANGS, where]
    assert subprocess.run(program, cwd=ROOT, check=False, timeout=SOON_SECONDS).returncode == 3


def test_all_that_a_stop_waits_for_fits_into_three_seconds_after_the_grace() -> None:
    # Given: what each step of a stop may take. What must hold: Kubernetes, which kills after 30 s, has nothing to kill
    # if the grace is 25 s.
    assert leaving.STOP_SECONDS + leaving.LEAST_SECONDS + leaving.LAST_SECONDS < 3
    assert stopping.CLOSE_SECONDS + stopping.RECORD_SECONDS < leaving.STOP_SECONDS
