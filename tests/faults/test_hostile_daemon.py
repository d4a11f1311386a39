"""What a daemon does to itself: its tasks fork, its loops raise. Its other jobs go on, and nothing is lost."""

import json
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.fault import begin
from tests.faults.forks import JOBS, SUM
from tests.faults.house import House
from tests.servers import SqlServer
from tests.small_engine import eventually

LOOPS = {"keeper", "renewing the leases", "saving what runs report", "the clock"}
"""The loops that go round all the time; others have little to do here."""


@pytest.fixture
def forking(make_house: MakeHouse) -> Iterator[House]:
    """A house whose daemons have tasks that fork. What a killed daemon leaves behind is ended."""
    house = make_house()
    house.module = "tests.faults.hostile_victim"
    house.settings["FORKS"] = "1"
    house.seconds |= dict.fromkeys(JOBS, 1.0)
    yield house
    house.close()
    for pid in filter(is_there, left(house)):
        os.kill(pid, signal.SIGKILL)


def counts(house: House) -> list[dict[str, object]]:
    """The counts of each run that forked, and succeeded."""
    names = " OR ".join(f"job = '{job}'" for job in JOBS)
    return [json.loads(text) for [text] in house.in_state(f"SELECT counts FROM runs WHERE ({names}) AND counts <> ''")]


def left(house: House) -> list[int]:
    """The children that runs have left behind."""
    return [int(str(each["pid"])) for each in counts(house) if each["pid"]]


def is_there(pid: int) -> bool:
    """Whether a process is there, and is a child that a task has left behind."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"hostile_victim" in command or b"multiprocessing" in command


def check_forks(house: House) -> None:
    """Assert that each run that forked ended as its parent said, and that no child is there any more."""
    names = " OR ".join(f"job = '{job}'" for job in JOBS)
    found = house.in_state(f"SELECT DISTINCT outcome, reason FROM runs WHERE {names}")
    stopped = {"the process that ran it is gone", "the daemon was asked to stop"}
    assert {outcome for outcome, _ in found} <= {"succeeded", "interrupted", "missed", "skipped"}, found
    assert {reason for outcome, reason in found if outcome == "interrupted"} <= stopped, found
    assert {each["sum"] for each in counts(house)} == {SUM}
    assert house.daemons[-1].text.count("leading with") == len(house.daemons)


@pytest.mark.whole_form
@pytest.mark.timeout(600)
def test_forked_children_end_no_other_run(forking: House, mariadb: SqlServer, faults_seed: int) -> None:
    """Given: a daemon, a writer, and two jobs that fork each second, one in a thread and one in a process.

    Happens: children return, fail, exit, write, are killed or are left behind; then the daemon is killed, and another
    one starts.
    Must hold: the parent's runs end as the parent says, every other job goes on, and no lease is lost. A daemon that
    ends takes its children along. Nothing is lost.
    """
    house, chance = forking, random.Random(faults_seed)
    begin(house, mariadb)
    eventually(lambda: len(counts(house)) > 16, lambda: f"{len(counts(house))} runs forked", 120.0)
    time.sleep(chance.uniform(0.0, 1.0))
    house.alive[0].close()
    killed = set(left(house))
    house.start()
    house.settle(rounds=1)
    eventually(lambda: len(counts(house)) > 28, lambda: f"{len(counts(house))} runs forked", 120.0)
    house.finish("forked children", crashes=1)
    check_forks(house)
    assert len({each["way"] for each in counts(house)}) > 3
    for pid in set(left(house)) - killed:
        eventually(lambda: not is_there(pid), f"the child {pid} is gone")


@pytest.mark.whole_form
@pytest.mark.timeout(600)
def test_loops_that_raise_lose_nothing(make_house: MakeHouse, mariadb: SqlServer, faults_seed: int) -> None:
    """Given: a daemon, a writer, and a consumer; each loop of the daemon raises at random, every third time.

    Happens: it goes on for a while, is stopped, and starts again.
    Must hold: each loop goes on, each slot has its outcome, and nothing is lost or published twice.
    """
    house = make_house(state=mariadb)
    house.module = "tests.faults.hostile_victim"
    house.settings |= {"SHARE": "0.3", "SEED": str(faults_seed)}
    begin(house, mariadb)
    house.settle(rounds=4)
    assert house.alive[0].end() == 0
    house.start()
    house.settle(rounds=4)
    house.finish("loops that raise")
    raised = set(
        re.findall(r"ERROR janitor\.loops\.duty .*?(?:\] )?([\w ]+) failed, and goes on", house.daemons[-1].text)
    )
    assert raised >= LOOPS, f"only these raised: {raised}"
