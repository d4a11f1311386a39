"""Rows that the target's server refuses, for what they hold, while others go on.

A refusal stands for what a table's owner may add: a CHECK, a trigger, a foreign key, a unique index, a column that must
not be NULL. Each lets the stored rows be, and refuses some of the rows that come.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from tests.faults.fault import A_SECOND, Fault
from tests.faults.house import House
from tests.faults.storage import now
from tests.servers import SqlServer
from tests.small_engine import eventually
from tests.tasks.labware_location.oracle import expected, stored

SECONDS = 3.0
"""How long the writer goes on under each refusal."""
NEW_LABWARES = 6
SOME = "CRC32(NEW.labware_barcode) % 3 = 0"


@dataclass(frozen=True)
class Refusal:
    """What is added to the target, what takes it away again, and what the server says of the rows that it refuses."""

    name: str
    adding: tuple[str, ...]
    removing: tuple[str, ...]
    words: str


def refused_rows(house: House, server: SqlServer) -> list[Fault]:
    """List the refusals as faults: no run fails for them."""
    names = [each.name for each in refusals("")]
    return [
        Fault(f"target with {name}", partial(refusing, house, server, name), (), (), seconds=SECONDS) for name in names
    ]


def refusals(database: str) -> list[Refusal]:
    """List what may be added now to the target, in that database."""
    table, places = f"`{database}`.labware_location", f"`{database}`.faults_places"
    alter, use = f"ALTER TABLE {table}", f"USE `{database}`"
    rows_before = f"stored_at <= '{now() + timedelta(seconds=1)}'"

    def triggers(act: str) -> tuple[str, ...]:
        return use, *(
            f"CREATE TRIGGER faults_{when} BEFORE {when} ON labware_location FOR EACH ROW IF {SOME} THEN {act}; END IF"
            for when in ("INSERT", "UPDATE")
        )

    no_triggers = (use, "DROP TRIGGER IF EXISTS faults_INSERT", "DROP TRIGGER IF EXISTS faults_UPDATE")
    return [
        Refusal(
            "a CHECK",
            (f"{alter} ADD CONSTRAINT faults_check CHECK ({rows_before} OR CRC32(labware_barcode) % 3 <> 0)",),
            (f"{alter} DROP CONSTRAINT faults_check",),
            "faults_check",
        ),
        Refusal(
            "a trigger that refuses",
            triggers("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this labware is under lock'"),
            no_triggers,
            "this labware is under lock",
        ),
        Refusal(
            "a trigger that rewrites",
            triggers("SET NEW.location_name = 'rewritten'"),
            no_triggers,
            "something changes the rows that are written",
        ),
        Refusal(
            "a foreign key",
            (
                "SET foreign_key_checks = 0",
                f"CREATE TABLE {places} (PRIMARY KEY (location_barcode)) SELECT DISTINCT location_barcode FROM {table}",
                f"DELETE FROM {places} WHERE CRC32(location_barcode) % 3 = 0",
                f"{alter} ADD CONSTRAINT faults_place FOREIGN KEY (location_barcode) REFERENCES {places}"
                " (location_barcode)",
            ),
            (f"{alter} DROP FOREIGN KEY faults_place", f"DROP TABLE {places}"),
            "faults_place",
        ),
        Refusal(
            "a second unique index",
            (
                f"{alter} ADD COLUMN faults_new VARCHAR(255) AS (IF({rows_before}, NULL, location_barcode)),"
                " ADD UNIQUE INDEX faults_single (faults_new)",
            ),
            (f"{alter} DROP INDEX faults_single, DROP COLUMN faults_new",),
            "faults_single",
        ),
        Refusal(
            "a column that must not be NULL",
            (f"{alter} ADD COLUMN faults_more VARCHAR(10) NOT NULL", f"{alter} ALTER faults_more DROP DEFAULT"),
            (f"{alter} DROP COLUMN faults_more",),
            "faults_more",
        ),
    ]


@contextmanager
def refusing(house: House, server: SqlServer, name: str) -> Iterator[None]:
    """Let the target refuse some rows during the block, while the writer goes on.

    In the end exactly these wait in quarantine, each with the server's words, and all others are stored. Once nothing
    refuses them any more, they leave the quarantine by themselves.
    """
    [refusal] = [each for each in refusals(str(house.warehouses.mlwh_url.database)) if each.name == name]
    server.execute(*refusal.adding)
    try:
        yield
        house.writer.finish()
        for _ in range(NEW_LABWARES):
            house.writer.storage.register()
        house.settle(rounds=1)
        check(house, refusal)
    finally:
        server.execute(*refusal.removing)
    eventually(lambda: not different(house) and not waiting(house), lambda: f"{waiting(house)} wait in quarantine")
    house.writer.start(a_second=A_SECOND)


def check(house: House, refusal: Refusal) -> None:
    """Assert that each row is stored as it is, or waits with the server's words."""
    found = waiting(house)
    assert found, f"no row was refused for {refusal.name}"
    assert all(refusal.words in reason for reason in found.values()), found
    assert found.keys() == different(house), f"{found.keys() ^ different(house)} is stored and waits, or neither"


def waiting(house: House) -> dict[str, str]:
    """Why each labware that LabWhere has in order waits in quarantine."""
    found = house.in_state("SELECT `key`, reason FROM quarantine WHERE name = 'labware_location'")
    broken = expected(house.warehouses.labwhere).quarantined
    return {key: reason for key, reason in found if key not in broken}


def different(house: House) -> set[str]:
    """The labwares that are not stored as LabWhere has them."""
    wanted, found = expected(house.warehouses.labwhere).rows, stored(house.warehouses.mlwh)
    return {key for key, row in wanted.items() if found.get(key) != row}
