"""Items, while the daemon is killed (SIGKILL) or frozen at each point between a message and its answer.

Given: requests in a queue, with one that kills the process of a step.
Happens: a daemon kills itself at a numbered point (item_victim.py); the next one starts at once and dies at another
point, and so on; more requests come meanwhile; the last daemon is left alone.
Must hold: each request has one end and its answers, nothing is stuck, and what was done twice was done by a daemon that
died between the effect and its record.
"""

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from tests.faults.item_house import END_SECONDS, ItemHouse, item_house
from tests.faults.item_victim import OF_ITEMS, POINTS, POISON
from tests.servers import Broker
from tests.small_engine import eventually

A_ROUND = 30
MORE = 25
LONG_SECONDS = 60.0


@pytest.fixture
def house(database_url: URL, rabbitmq: Broker, tmp_path: Path) -> Iterator[ItemHouse]:
    """A house of items, on either kind of state database."""
    with item_house(database_url, rabbitmq, tmp_path) as made:
        yield made


def kill_at(house: ItemHouse, number: int, passage: int) -> None:
    """Ask for more, and let a daemon die at a point.

    An item whose process has died three times is told as failed: so nothing is killed three times with the same item.
    """
    if house.suspects:
        daemon = house.start()
        eventually(lambda: not house.suspects, lambda: f"{house.suspects} {daemon.text[-3000:]}", LONG_SECONDS)
        house.spoiled.add(house.name_of(daemon))
        daemon.close()
    house.ask_for(A_ROUND)
    daemon = house.start(f"{number}:{passage}")
    # One batch may have all of them: more come until it is dead.
    killed = daemon.was_killed(4.0)
    for _ in range(MORE):
        if not killed:
            house.ask_for(5)
            killed = daemon.was_killed(3.0)
    assert killed, f"nothing came to point {number}, {POINTS[number]}:\n{daemon.text[-3000:]}"
    assert f"killed {POINTS[number]}" in daemon.text


def end(house: ItemHouse, note: Callable[[str, Any], None], title: str) -> None:
    """Leave a last daemon alone until nothing is left, and check the books."""
    house.start()
    house.settle()
    house.started[-1].end(seconds=LONG_SECONDS)
    note("faults", f"items: {title}: {house.check()}")


def ill_treat(house: ItemHouse, points: Sequence[int], chance: random.Random) -> None:
    """Kill at each of these points, at an early or a late passage."""
    house.ask(POISON)
    for number in points:
        kill_at(house, number, chance.randint(1, 12) if number in OF_ITEMS else chance.randint(1, 2))


@pytest.mark.short_form
def test_items_survive_kill_9_at_some_points(
    house: ItemHouse, faults_seed: int, record_property: Callable[[str, Any], None]
) -> None:
    chance = random.Random(f"{faults_seed} items {house.url.get_backend_name()}")
    ill_treat(house, [chance.choice([4, 9, 10]), chance.choice([11, 13, 15, 18])], chance)
    end(house, record_property, f"kill -9 at some points, {house.url.get_backend_name()}")


@pytest.mark.whole_form
@pytest.mark.timeout(1200)
def test_items_survive_kill_9_at_every_point(
    house: ItemHouse, faults_seed: int, record_property: Callable[[str, Any], None]
) -> None:
    chance = random.Random(f"{faults_seed} all items {house.url.get_backend_name()}")
    points = list(POINTS)
    chance.shuffle(points)
    ill_treat(house, points, chance)
    end(house, record_property, f"kill -9 at each of {len(points)} points, {house.url.get_backend_name()}")


@pytest.mark.whole_form
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_frozen_daemon_that_wakes_writes_nothing(
    house: ItemHouse, record_property: Callable[[str, Any], None]
) -> None:
    """Given two daemons. The one that leads is frozen in the middle of its work, the other one goes on, it wakes.

    Must hold: what it brings then is recorded nowhere, as the other one has done it. On SQLite a process that is frozen
    within a transaction keeps all others out, so this is tried on a server.
    """
    for _ in range(3):
        first = house.start()
        first.says("leading with", seconds=LONG_SECONDS)
        second = house.start()
        house.ask_for(400)
        eventually(
            lambda: house.effects.exists() and house.effects.read_text().count("end keep") > 20, "work goes on", 60
        )
        house.spoiled.add(house.name_of(first))
        first.freeze()
        second.says("leading with", seconds=LONG_SECONDS)
        # The broker gives out what the frozen one had received once that one's connection ends.
        eventually(lambda: house.left[2:] == (0, 0), lambda: f"{house.left} {second.text[-3000:]}", END_SECONDS)
        first.send(signal.SIGCONT)
        house.ask_for(50)
        house.settle()
        for daemon in (first, second):
            daemon.end(seconds=LONG_SECONDS)
    end(house, record_property, "a frozen daemon, three times, mariadb")
