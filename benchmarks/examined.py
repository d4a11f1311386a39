"""How many rows the source databases examine, by their own counters, for each row that is used.

A used row is a row of a source table that a task needs; it counts once for each thing that needs it:

- full sync: up to 10,000 audits at the feed's end, among which the next ticks look for what commits late;
- full sync and reconcile: for each labware its row, its latest audit, that audit's user, its coordinate if it has
  one, and the location whose barcode the target gets;
- labware tick with news: each new audit; and for each touched labware all of the above;
- publisher tick: the status; for each product of its run the product, its flowcell row, sample, study and place in
  iRODS; for each sample its subject, the roles it has as a sample and their events (which of them is its latest
  manifest update shows in the events alone); for each latest manifest update the roles and subjects of its labwares.

Rows examined are performance_schema's SUM_ROWS_EXAMINED of all statements on LabWhere, and for the publisher on MLWH
and MLWH Events. It counts rows of derived tables too, and index entries as rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from benchmarks import labware_tick, sequencing_tick
from benchmarks.fill import PRODUCTS
from benchmarks.house import House
from benchmarks.measures import Line
from janitor.tasks import labware_location, sequencing_publisher

CONSUMER = "UPDATE performance_schema.setup_consumers SET enabled = '{}' WHERE name = 'global_instrumentation'"
DIGESTS = "performance_schema.events_statements_summary_by_digest"
GOAL, LOOK_BACK = 3, 10_000


@dataclass(frozen=True)
class Statement:
    """A statement on a source: how often it was called, and how many rows it examined and sent."""

    text: str
    calls: int
    examined: int
    sent: int


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure examined rows over used rows for each kind of run, and the examined rows of ticks without news."""
    del rivals  # there are none: these are counts
    with house.daemon() as daemon:
        labwhere, mlwh = ["labwhere"], ["mlwh", "events"]

        def counted(names: list[str], func: Callable[[], object]) -> list[Statement]:
            with _counting(house):
                func()
            return _statements(house, names)

        daemon.counts(labware_location.follow)
        idle = counted(labwhere, lambda: daemon.counts(labware_location.follow))
        idle_publisher = counted(mlwh, lambda: daemon.counts(sequencing_publisher.follow))
        labware_tick.move(house, seed=2_000)
        busy = counted(labwhere, lambda: daemon.counts(labware_location.follow))
        sequencing_tick.set_status(house, 500)
        publisher = counted(mlwh, lambda: sequencing_tick.expect(daemon.counts(sequencing_publisher.follow)))
        whole = counted(labwhere, lambda: daemon.counts(labware_location.reconcile))
    house.exchange.received()
    house.begin_anew()
    sync = counted(labwhere, lambda: house.run_alone("labware_location.follow"))
    each = _used_by_all(house)
    moved = labware_tick.CHANGED * 5
    return [
        _line(house, "full sync", sync, each + min(LOOK_BACK, 3 * house.labwares)),
        _line(house, "reconcile", whole, each),
        _line(house, "labware tick with 100 changed labwares", busy, moved),
        _line(house, "sequencing tick, one new status", publisher, _used_by_status(house, 500)),
        _idle(house, "labware tick without news", idle),
        _idle(house, "sequencing tick without news", idle_publisher),
    ]


def _line(house: House, name: str, found: list[Statement], used: int) -> Line:
    ratio = sum(statement.examined for statement in found) / used
    full = f"rows examined over rows used, {name}, {house.labwares:,} labwares"
    return Line(full, ratio, "times", f"<= {GOAL} times", ratio <= GOAL)


def _idle(house: House, name: str, found: list[Statement]) -> Line:
    examined = sum(statement.examined for statement in found)
    curve = f"rows examined, {name}"
    return Line(f"{curve}, {house.labwares:,} labwares", examined, "rows", curve=curve, labwares=house.labwares)


@contextmanager
def _counting(house: House) -> Iterator[None]:
    sql = house.servers.sql
    sql.execute(f"TRUNCATE TABLE {DIGESTS}", CONSUMER.format("YES"))
    try:
        yield
    finally:
        sql.execute(CONSUMER.format("NO"))


def _statements(house: House, names: list[str]) -> list[Statement]:
    databases = ", ".join(f"'{house.names()[name]}'" for name in names)
    rows: list[Any] = house.servers.sql.execute(
        f"SELECT digest_text, count_star, sum_rows_examined, sum_rows_sent FROM {DIGESTS} "
        f"WHERE schema_name IN ({databases}) AND digest_text LIKE '%SELECT%' AND digest_text LIKE '%FROM%'"
    )
    return [Statement(text, int(calls), int(examined), int(sent)) for text, calls, examined, sent in rows]


def _used_by_all(house: House) -> int:
    rows = house.labwhere("SELECT COUNT(*), COUNT(coordinate_id) FROM labwares")
    labwares, coordinates = rows[0]
    return int(4 * labwares + coordinates)


def _used_by_status(house: House, turn: int) -> int:
    query = Path(__file__).with_name("used_by_status.sql").read_text(encoding="utf-8")
    query = Template(query).substitute(house.names())
    subjects, roles, updates = house.mlwh(query, run=sequencing_tick.run_of(house, turn))[0]
    return int(1 + 5 * PRODUCTS + subjects + 2 * roles + 2 * updates)
