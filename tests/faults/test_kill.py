"""Kill -9 of the daemon before and after each step that writes anything, in each movement of both tasks.

A daemon kills itself at a numbered point (see victim.py), the next one is started at once, killed at another point, and
so on, while the writer goes on; the last one is left alone. Nothing may be lost, and each death may repeat one group.
Where the follows are killed there are no reconciles, which would mend what a follow has lost.
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
"""The jobs of each movement; the first run of labware_location is its snapshot."""

WITHIN_A_RUN = range(3, 15)
KILL_SECONDS = 120.0
A_SECOND, PATIENTLY = 15.0, 2.0
"""Changes a second, at first and while a daemon on a busy machine is waited for: else it would never catch up."""


@dataclass(frozen=True)
class Kill:
    """Where a daemon is to die: when a run of `job` comes to the point for the `passage`th time."""

    movement: str
    job: str
    number: int
    passage: int

    def __str__(self) -> str:
        return f"{self.job}:{self.number}:{self.passage}"

    @property
    def words(self) -> str:
        """What the victim says last."""
        return f"killed {POINTS[self.number]}, by {self.job}"


def kills_of(movement: str, passages: Iterable[int]) -> list[Kill]:
    """Every point of every job of a movement, so many times each."""
    points = [(job, number) for job in JOBS[movement] for number in OF_JOB[job]]
    return [Kill(movement, job, number, passage) for job, number in points for passage in passages]


def some_of(movement: str, count: int, chance: random.Random) -> list[Kill]:
    """A sample of the kills of a movement, at least one of each of its jobs."""
    all_of_them = [kill for kill in kills_of(movement, (1, 2)) if movement != "first" or kill.number in WITHIN_A_RUN]
    chosen = [chance.choice([kill for kill in all_of_them if kill.job == job]) for job in JOBS[movement]]
    return in_order(chosen + chance.sample(all_of_them, count - len(chosen)))


def in_order(kills: list[Kill]) -> list[Kill]:
    """The same kills, those in first runs first, and of these last what cuts a snapshot off: it has to be gone on with.

    Before them come those that leave the most of the first publication to the next.
    """

    def place(kill: Kill) -> tuple[bool, bool, bool, bool]:
        of_labware = kill.job == "labware_location"
        return kill.movement != "first", of_labware, (kill.number in WITHIN_A_RUN) == of_labware, kill.number in SINK

    return sorted(kills, key=place)


def ill_treat(house: House, kills: list[Kill], title: str) -> None:
    """Start a daemon for each of the kills, one after another, each dying as it should; then check."""
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
    """Let a daemon run each job once, and kill it at no particular point."""
    house.start()
    house.settle(rounds=1)
    house.alive[0].close()


def begin_anew_after_a_snapshot(house: House) -> None:
    """Let the next run of labware_location be a snapshot into an empty table, or go on with one that was cut off."""
    found = house.in_state("SELECT position FROM cursors WHERE name = 'labware_location'")
    if found and json.loads(found[0][0])["snapshot_after"] is None:
        house.in_state("DELETE FROM cursors WHERE name = 'labware_location'")
        with house.warehouses.mlwh.begin() as connection:
            connection.exec_driver_sql("DELETE FROM labware_location WHERE lims_id = 'LabWhere'")


@pytest.mark.short_form
def test_kill_9_at_some_points_of_the_follows_loses_nothing(make_house: MakeHouse, faults_seed: int) -> None:
    chance = random.Random(f"{faults_seed} follows")
    kills = some_of("first", 2, chance) + some_of("follow", 3, chance)
    ill_treat(make_house(), kills, "some points of first runs and follows")


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
