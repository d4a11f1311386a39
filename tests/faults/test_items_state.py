"""Items, while their state database, or the broker that gives them and takes their answers, fails in each of its ways.

Given: a daemon that works on requests from a queue, one of which kills the process of a step.
Happens: a server is away, hangs, is slow, cut off, killed, full, read-only, or answers wrongly; more requests come.
Must hold: each request has one end and its answers, nothing is stuck, and nothing was done twice by one daemon.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from tests.faults.item_house import ItemHouse, item_house
from tests.faults.item_victim import POISON
from tests.faults.network_faults import cut, instead, slow
from tests.faults.proxy import Proxy
from tests.faults.server_faults import alarm, held, read_only
from tests.faults.small_disk import SmallDisk, small_disk
from tests.servers import Broker, SqlServer
from tests.small_engine import eventually

FAULT_SECONDS = 5.0
A_FAULT = 25
LONG_SECONDS = 60.0
USER = "items"
GRANTED = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES"
Fault = Callable[[], AbstractContextManager[object]]


def befall(house: ItemHouse, fault: Fault, broker_answers: bool = True) -> None:
    """Ask before a fault, during it if the queue takes it, and after it; then all of it is done."""
    house.ask_for(A_FAULT)
    with fault():
        if broker_answers:
            house.ask_for(A_FAULT)
        time.sleep(FAULT_SECONDS)
    house.ask_for(A_FAULT)
    house.settle()


def of_network(proxy: Proxy, port: int) -> dict[str, Fault]:
    """What can befall any server behind a proxy, by name."""
    return {
        "away": proxy.away,
        "hanging": proxy.hanging,
        "slow": partial(slow, proxy, 0.15),
        "cut off": partial(cut, proxy, 0.2),
        "another server": partial(instead, proxy, port),
    }


@pytest.mark.whole_form
@pytest.mark.timeout(1200)
def test_items_survive_each_fault_of_their_state(
    mariadb: SqlServer, rabbitmq: Broker, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    url = mariadb.create_database()
    granted = f"GRANT {GRANTED} ON `{url.database}`.* TO '{USER}'@'%'"
    mariadb.execute(f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY ''", granted)
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy("127.0.0.1", int(url.port or 3306)))
        house = stack.enter_context(item_house(url, rabbitmq, tmp_path))
        house.daemon_url = url.set(username=USER, password=None, host="127.0.0.1", port=proxy.port)
        house.ask(POISON)
        house.start().says("leading with", seconds=LONG_SECONDS)
        table = f"`{url.database}`.item_steps"
        faults = of_network(proxy, int(url.port or 3306)) | {
            "killed": mariadb.killed,
            "read-only": partial(read_only, mariadb),
            "locked": partial(held, mariadb, f"SELECT 1 FROM {table} FOR UPDATE"),
        }
        for fault in faults.values():
            befall(house, fault)
        house.started[-1].end(seconds=LONG_SECONDS)
        line = house.check(repeats_by_one=True)
        record_property("faults", f"items: the state database on a server is {', '.join(faults)}: {line}")


@pytest.mark.whole_form
@pytest.mark.timeout(600)
def test_items_survive_a_full_disk_of_their_state(
    rabbitmq: Broker, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    with small_disk(tmp_path, "3m") as disk:
        url = URL.create("sqlite", database=str(disk.folder / "state.db"))
        with item_house(url, rabbitmq, tmp_path) as house:
            daemon = house.start()
            daemon.says("leading with", seconds=LONG_SECONDS)
            fill(house, disk)
            disk.grow("60m")
            house.settle()
            daemon.end(seconds=LONG_SECONDS)
            line = house.check(repeats_by_one=True)
            record_property("faults", f"items: the disk of the state database is full: {line}")


def fill(house: ItemHouse, disk: SmallDisk) -> None:
    """Ask for more until the disk is full."""
    for _ in range(60):
        house.ask_for(200)
        if "full" in house.started[-1].text:
            return
        time.sleep(1.0)
    raise AssertionError(f"the disk was never full: {sorted(disk.folder.iterdir())}")


@pytest.mark.whole_form
@pytest.mark.timeout(1200)
def test_items_survive_each_fault_of_the_broker(
    rabbitmq: Broker, tmp_path: Path, state_url: URL, record_property: Callable[[str, Any], None]
) -> None:
    with Proxy(rabbitmq.host, rabbitmq.port) as proxy, item_house(state_url, rabbitmq, tmp_path) as house:
        house.ask(POISON)
        house.start(RABBITMQ_HOST="127.0.0.1", RABBITMQ_PORT=str(proxy.port)).says("leading with", seconds=LONG_SECONDS)
        of_proxy = of_network(proxy, rabbitmq.port)
        for fault in of_proxy.values():
            befall(house, fault)
        # These befall the tests' own publisher too.
        own: dict[str, Fault] = {"killed": rabbitmq.killed, "low on memory": partial(alarm, rabbitmq)}
        for fault in own.values():
            befall(house, fault, broker_answers=False)
        befall(house, partial(without_answers, house))
        house.started[-1].end(seconds=LONG_SECONDS)
        names = ", ".join((*of_proxy, *own, "without the queue for answers"))
        record_property("faults", f"items: the broker is {names}, {state_url.get_backend_name()}: {house.check()}")


@contextmanager
def without_answers(house: ItemHouse) -> Iterator[None]:
    """Delete the queue for answers, and make it again; what was given up meanwhile is sent again, as a person does."""
    house.keep_answers()
    with house.broker.channel() as channel:
        channel.queue_delete(house.answers)
    yield
    house.make_queue(house.answers)
    eventually(house.send_again, "replies were given up, and are sent again", LONG_SECONDS)
