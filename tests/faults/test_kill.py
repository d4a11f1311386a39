"""The daemon is killed (SIGKILL) before and after each step that writes, in each movement of both tasks.

Given: a writer that changes the sources all the time, and a consumer of the messages.
Happens: a daemon kills itself at a numbered point (victim.py); the next daemon starts at once and dies at another
point, and so on; the last daemon is left alone.
Must hold: nothing is lost, and each death repeats at most one group of messages. If follows are killed, there are no
reconciles: they would mend what a follow has lost.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.house import House
from tests.faults.victim import OF_JOB, POINTS, SINK
from tests.servers import SqlServer

JOBS = {
    "first": ("labware_location", "sequencing_publisher"),
    "follow": ("labware_location", "sequencing_publisher"),
    "reconcile": ("labware_location_reconcile", "sequencing_publisher_reconcile"),
}
"""The jobs of each movement. The first run of labware_location is its snapshot."""

WITHIN_A_RUN = range(3, 15)
KILL_SECONDS = 120.0
A_SECOND, PATIENTLY = 15.0, 2.0
"""Changes a second: at first, and while a slow daemon is waited for, so that it can catch up."""


@dataclass(frozen=True)
class Kill:
    """Where a daemon dies: when a run of `job` passes the point for the `passage`-th time."""

    movement: str
    job: str
    number: int
    passage: int

    def __str__(self) -> str:
        return f"{self.job}:{self.number}:{self.passage}"

    @property
    def words(self) -> str:
        """The last words of the victim."""
        return f"killed {POINTS[self.number]}, by {self.job}"


def kills_of(movement: str, passages: Iterable[int]) -> list[Kill]:
    """List every point of every job of a movement, once for each passage."""
    points = [(job, number) for job in JOBS[movement] for number in OF_JOB[job]]
    return [Kill(movement, job, number, passage) for job, number in points for passage in passages]


def some_of(movement: str, count: int, chance: random.Random) -> list[Kill]:
    """Choose some kills of a movement, at least one for each of its jobs."""
    all_of_them = [kill for kill in kills_of(movement, (1, 2)) if movement != "first" or kill.number in WITHIN_A_RUN]
    chosen = [chance.choice([kill for kill in all_of_them if kill.job == job]) for job in JOBS[movement]]
    return in_order(chosen + chance.sample(all_of_them, count - len(chosen)))


def in_order(kills: list[Kill]) -> list[Kill]:
    """Put the kills of first runs first. Among these, the kills that cut a snapshot off come last.

    The next run must go on with such a snapshot. The kills before leave most of the first publication to the next run.
    """

    def place(kill: Kill) -> tuple[bool, bool, bool, bool]:
        of_labware = kill.job == "labware_location"
        return kill.movement != "first", of_labware, (kill.number in WITHIN_A_RUN) == of_labware, kill.number in SINK

    return sorted(kills, key=place)


def ill_treat(house: House, kills: list[Kill], title: str) -> None:
    """Start a daemon for each kill, one after another; check that each dies at its point, and check the end."""
    if kills[0].movement != "reconcile":
        house.only(*JOBS["follow"])
        house.writer.announced_only = True
    house.writer.start(a_second=A_SECOND)
    movement, crashes = "first", 0
    for kill in kills:
        if kill.movement != movement:
            get_over_first_runs(house)
            movement, crashes = kill.movement, crashes + 1
        if kill.movement == "first" and kill.job == "labware_location" and house.daemons:
            begin_anew_after_a_snapshot(house)
        house.writer.a_second = A_SECOND
        daemon = house.start(point=str(kill))
        killed = daemon.was_killed(4.0)
        house.writer.a_second = PATIENTLY
        assert killed or daemon.was_killed(
            KILL_SECONDS
        ), f"no run came to {kill}, {POINTS[kill.number]}:\n{daemon.text[-3000:]}"
        assert kill.words in daemon.text
        crashes += 1
    house.finish(f"kill -9, {title}", crashes)


def get_over_first_runs(house: House) -> None:
    """Let a daemon run each job once, and then kill it anywhere."""
    house.start()
    house.settle(rounds=1)
    house.alive[0].close()


def begin_anew_after_a_snapshot(house: House) -> None:
    """Let the next run of labware_location begin a snapshot into an empty table, or go on with a cut-off snapshot."""
    found = house.in_state("SELECT position FROM cursors WHERE name = 'labware_location'")
    if found and json.loads(found[0][0])["snapshot_after"] is None:
        house.in_state("DELETE FROM cursors WHERE name = 'labware_location'")
        with house.warehouses.mlwh.begin() as connection:
            connection.exec_driver_sql("DELETE FROM labware_location WHERE lims_id = 'LabWhere'")


@pytest.mark.short_form
def test_kill_9_at_some_points_of_the_follows_loses_nothing(make_house: MakeHouse, faults_seed: int) -> None:
    chance = random.Random(f"{faults_seed} follows")
    kills = some_of("first", 2, chance) + some_of("follow", 2, chance)
    ill_treat(make_house(), kills, "some points of first runs and follows")


@pytest.mark.slow
@pytest.mark.short_form
def test_kill_9_at_some_points_of_the_reconciles_loses_nothing(
    make_house: MakeHouse, faults_seed: int, mariadb: SqlServer
) -> None:
    kills = some_of("reconcile", 3, random.Random(f"{faults_seed} reconciles"))
    ill_treat(make_house(state=mariadb), kills, "some points of the reconciles, state on the server")


@pytest.mark.whole_form
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("state, passage", [("sqlite", 1), ("mariadb", 2), ("sqlite", 3)])
@pytest.mark.parametrize("movement", JOBS)
def test_kill_9_at_every_point_loses_nothing(
    movement: str, state: str, passage: int, make_house: MakeHouse, mariadb: SqlServer
) -> None:
    house = make_house(state=mariadb if state == "mariadb" else "sqlite")
    kills = kills_of(movement, [passage])
    random.Random(f"{house.seed} {movement} {state} {passage}").shuffle(kills)
    ill_treat(house, in_order(kills), f"every point of {movement}, passage {passage}, state in {state}")
