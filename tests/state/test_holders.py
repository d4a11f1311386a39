"""Holders: whether the process of a name lives, as its neighbours can tell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from janitor.settings.state import StateSettings
from janitor.state import holders

NAME_ITSELF = "from janitor.state import holders; print(holders.new_holder())"
ELSEWHERE = "elsewhere|boot|pid:[1]|1|1|x"


def dead_holder() -> str:
    """The name of a process that ran on this machine and is gone."""
    ended = subprocess.run([sys.executable, "-c", NAME_ITSELF], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def test_the_dead_are_known_on_their_machine_only() -> None:
    dead, me = dead_holder(), holders.new_holder()
    assert holders.is_dead(dead) and holders.is_dead(holders.holder_of_run(dead, 7))
    assert not holders.is_dead(me) and not holders.is_dead(holders.holder_of_run(me, 7))
    assert not holders.is_dead(ELSEWHERE) and not holders.is_dead("anything")


def test_a_later_process_of_the_same_id_is_another() -> None:
    reused = dead_holder().split("|")
    reused[3] = str(os.getpid())
    assert holders.is_dead("|".join(reused))


@pytest.mark.parametrize("part", range(3), ids=["host", "boot", "process ids"])
def test_nobody_knows_of_processes_elsewhere(part: int) -> None:
    # Two containers may have the same host name, and each counts its processes by itself.
    elsewhere = dead_holder().split("|")
    elsewhere[part] = "another"
    assert not holders.is_dead("|".join(elsewhere))


def test_who_does_not_know_its_namespace_knows_nobody_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied")

    nameless = dead_holder().split("|")
    nameless[2] = ""
    monkeypatch.setattr(os, "readlink", refuse)
    assert not holders.is_dead("|".join(nameless))


def test_a_zombie_counts_as_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", NAME_ITSELF], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    holder = child.stdout.read().strip()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert holders.is_dead(holder)
    child.wait()
    child.stdout.close()


def test_a_process_that_is_hidden_counts_as_living(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # As on a machine that shows nobody the processes of other users, `hidepid`.
    dead, me = dead_holder(), holders.new_holder()
    monkeypatch.setattr(holders, "PROCESSES", tmp_path)
    assert not holders.is_dead(me) and holders.is_dead(dead)


def test_a_name_tells_how_long_leases_last() -> None:
    mine = holders.new_holder(12.5)
    assert holders.lease_seconds_of(mine) == holders.lease_seconds_of(holders.holder_of_run(mine, 7)) == 12.5
    assert holders.lease_seconds_of(ELSEWHERE) == holders.lease_seconds_of("a/b") == 60
    (most,) = (limit.le for limit in StateSettings.model_fields["lease_seconds"].metadata if hasattr(limit, "le"))
    assert most == holders.LONGEST_LEASE_SECONDS, "no lease lasts longer"


def test_a_process_is_named_for_people() -> None:
    assert holders.process("lab-1|boot|pid:[1]|4711|1|x") == "process 4711 on lab-1"
    assert holders.process("by hand") == "by hand"
