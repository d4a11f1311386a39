"""The sequencing tick: with nothing new, and with one new status on a run of 96 products."""

import statistics
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any

import pymysql

from benchmarks import pika_bare, rival_engineer
from benchmarks.fill import FIRST_RUN, PRODUCTS
from benchmarks.house import House
from benchmarks.measures import Clocked, Line, Rival, median_of, seconds_of
from janitor.tasks import sequencing_publisher

IDLE_TICKS, BUSY_TICKS = 201, 21
RIVAL_SECONDS = 60


def measure(house: House, rivals: bool) -> list[Line]:
    """The lines, in milliseconds of wall; medians.

    Without news it is the task's call within a recorded run, with news the whole run: from the tick to the outcome,
    which comes after the broker has confirmed all messages and the ledger holds them.
    """
    with house.daemon() as daemon:
        idle = Clocked(sequencing_publisher.follow)
        whole_idle = median_of(lambda: daemon.counts(idle), IDLE_TICKS)
        whole_busy = []
        for turn in range(BUSY_TICKS):
            set_status(house, turn)
            whole_busy.append(seconds_of(lambda: expect(daemon.counts(sequencing_publisher.follow))))
        waiting = house.exchange.waiting()
    if waiting != BUSY_TICKS * PRODUCTS:
        raise AssertionError(f"the queue holds {waiting} messages, not {BUSY_TICKS * PRODUCTS}")
    house.exchange.received()
    seconds = [statistics.median(idle.seconds), whole_idle, statistics.median(whole_busy)]
    others = _rivals(house) if rivals else ([], [])
    return _lines(house, [value * 1000 for value in seconds], *others)


def expect(counts: Any) -> None:
    """Fail if the tick did not do what it should: then the measurement is void."""
    if counts["published"] != PRODUCTS:
        raise AssertionError(f"the tick was to publish {PRODUCTS} messages: {dict(counts)}")


def run_of(house: House, turn: int) -> int:
    """Return a run that has all its products, another run each turn."""
    return FIRST_RUN + turn * 17 % max(1, house.labwares // PRODUCTS)


def set_status(house: House, turn: int) -> None:
    """Set a status on this turn's `run_of`."""
    house.mlwh(
        "INSERT INTO iseq_run_status (id_run_status, id_run, date, id_run_status_dict, iscurrent) "
        "SELECT MAX(id_run_status) + 1, :run, UTC_TIMESTAMP(), 4, 0 FROM iseq_run_status",
        run=run_of(house, turn),
    )


def _lines(house: House, values: list[float], idle: list[Rival], busy: list[Rival]) -> list[Line]:
    without, with_news = (
        "sequencing tick without news",
        f"sequencing tick, one new status on a run of {PRODUCTS} products",
    )
    size, recorded = f"{house.labwares:,} products", "with the record of its run"
    return [
        Line(f"{without}, {size}", values[0], "ms", "<= 5 ms", values[0] <= 5, idle, without, house.labwares),
        Line(f"{without}, {size}, {recorded}", values[1], "ms"),
        Line(f"{with_news}, {size}", values[2], "ms", "<= 100 ms", values[2] <= 100, busy, with_news, house.labwares),
    ]


def _rivals(house: House) -> tuple[list[Rival], list[Rival]]:
    mlwh = house.warehouses.mlwh_url
    with rival_engineer.connect(mlwh) as connection:
        cursor = connection.cursor()
        query = "SELECT id_run_status FROM iseq_run_status WHERE id_run_status > 2000000000 ORDER BY 1 LIMIT 1"
        bare = median_of(lambda: cursor.execute(query), 201)
    limit = Rival("limit: the server's answer that there is no new id", bare * 1000)
    bodies = [bytes(180)] * PRODUCTS
    name, parameters = house.exchange.name, house.servers.broker.parameters
    windowed = median_of(lambda: pika_bare.windowed(parameters, name, bodies, 100), 11)
    blocking = median_of(lambda: pika_bare.blocking(parameters, name, bodies), 3)
    house.exchange.received()
    sending = [
        Rival("limit: a bare pika publisher of as many ready messages, with its connection", windowed * 1000),
        Rival("BlockingConnection, a confirm for each message, ready messages, nothing else", blocking * 1000),
    ]
    return [_first_query(house), _status_query(house), limit], sending


def _first_query(house: House) -> Rival:
    newer = "GREATEST(statuses.date, products.last_changed, IFNULL(places.last_changed, 0)) > '2999-01-01'"
    return _timed(house, "one joined query for all newer than a timestamp", newer)


def _status_query(house: House) -> Rival:
    made = _timed(house, "one joined query for statuses newer than a timestamp", "statuses.date > '2999-01-01'")
    return replace(made, note=f"{made.note} loses what arrives after its status, and what commits late".strip())


def _timed(house: House, name: str, newer: str) -> Rival:
    text = Path(__file__).with_name("rival_statuses.sql").read_text(encoding="utf-8")
    query = Template(text).substitute(house.names(), newer=newer)
    with rival_engineer.connect(house.warehouses.mlwh_url) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SET SESSION max_statement_time = {RIVAL_SECONDS}")
        try:
            return Rival(name, seconds_of(lambda: cursor.execute(query)) * 1000)
        except pymysql.err.OperationalError:
            return Rival(name, RIVAL_SECONDS * 1000.0, f"stopped after {RIVAL_SECONDS} s: it takes longer")
