"""What the lab does with its labware: it scans labware, moves boxes, registers and deletes; some scans are late."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.demo.counting import column, highest, ids_after
from janitor.demo.deeds import Agenda, Deed, written
from janitor.demo.storage_rows import FIRST_SHELF, LAST_SHELF, NOBODY, UNKNOWN_LOCATION, USERS

AGAIN_SECONDS, LATE_SECONDS = 5, 4

Place: TypeAlias = tuple[int | None, int | None]
"""A location's id, or the id of a coordinate in a box; both None for nowhere."""


class StorageDeeds:
    """Works on LabWhere; what comes later goes into the agenda."""

    def __init__(self, labwhere: URL, chance: random.Random, agenda: Agenda) -> None:
        """Look at what the warehouse holds; nothing is written yet."""
        self._labwhere, self._chance, self._agenda = labwhere, chance, agenda
        self._busy: set[int] = set()
        self._labwares = highest(labwhere, "labwares", "id")
        self._boxes = column(labwhere, "SELECT id FROM locations WHERE type = 'OrderedLocation'")
        self._audit_ids = ids_after(labwhere, "audits", "id")

    def scan(self, now: datetime) -> Deed:
        """Scan a few labwares onto a shelf, or into the free places of a box."""
        labwares = self._pick(self._chance.randint(1, 6))
        user = self._chance.randint(1, USERS)
        with databases.begin(self._labwhere) as connection:
            if self._chance.random() < 0.5:
                shelf = self._random_shelf()
                places: list[Place] = [(shelf, None)] * len(labwares)
                where = _name(connection, shelf)
            else:
                box = self._chance.choice(self._boxes)
                places = [(None, place) for place in _free_places(connection, box, len(labwares))]
                where = _name(connection, box)
            for labware, place in zip(labwares, places, strict=False):
                self._stand(connection, labware, place, user, now)
            words = f"scans {_barcodes(connection, labwares[:len(places)])} into {where}"
        return Deed("scans", words)

    def scan_out(self, now: datetime) -> Deed:
        """Scan a labware out: it stands in the unknown location."""
        [labware] = self._pick(1)
        with databases.begin(self._labwhere) as connection:
            self._stand(connection, labware, (UNKNOWN_LOCATION, None), 1, now)
            return Deed("scans out", f"scans {_barcodes(connection, [labware])} out")

    def scan_by_nobody(self, now: datetime) -> Deed:
        """Scan a labware as a user without a login; mostly, a user with a login scans it again later."""
        [labware] = self._pick(1)
        place: Place = (self._random_shelf(), None)
        with databases.begin(self._labwhere) as connection:
            self._stand(connection, labware, place, NOBODY, now)
            barcode = _barcodes(connection, [labware])
        if self._chance.random() < 0.7:
            self._busy.add(labware)
            self._agenda.add(AGAIN_SECONDS, now, lambda then: self._scan_again(labware, then))
        return Deed("broken rows", f"scans {barcode} as a user without a login")

    def _scan_again(self, labware: int, now: datetime) -> Deed:
        self._busy.discard(labware)
        with databases.begin(self._labwhere) as connection:
            self._stand(connection, labware, (FIRST_SHELF, None), 1, now)
            return Deed("broken rows mended", f"scans {_barcodes(connection, [labware])} again, with a login")

    def scan_late(self, now: datetime) -> Deed:
        """Take an audit's id now, and commit the scan long after higher ids."""
        [labware] = self._pick(1)
        self._busy.add(labware)
        audit, shelf = next(self._audit_ids), self._random_shelf()
        self._agenda.add(LATE_SECONDS, now, lambda then: self._commit_scan(labware, shelf, audit, now))
        with databases.read(self._labwhere) as connection:
            barcode = _barcodes(connection, [labware])
        return Deed("late commits begun", f"begins to scan {barcode} as audit {audit}, and does not commit")

    def _commit_scan(self, labware: int, shelf: int, audit: int, begun_at: datetime) -> Deed:
        self._busy.discard(labware)
        with databases.begin(self._labwhere) as connection:
            self._stand(connection, labware, (shelf, None), 2, begun_at, audit)
            newest = connection.execute(text("SELECT MAX(id) FROM audits")).scalar_one()
            barcode = _barcodes(connection, [labware])
        return Deed(
            "late scans committed", f"commits audit {audit} of {barcode} late: audit {newest} was there before it"
        )

    def move_box(self, now: datetime) -> Deed:
        """Carry a box to another shelf: there is one audit of the box, and no audit of its labwares."""
        box = self._chance.choice(self._boxes)
        shelf = self._random_shelf()
        with databases.begin(self._labwhere) as connection:
            found = connection.execute(
                text("SELECT name, parentage, ancestry FROM locations WHERE id = :id"), {"id": shelf}
            ).one()
            address = f"{found.parentage} / {found.name}"
            move = "UPDATE locations SET parentage = :address, ancestry = :path, updated_at = :now WHERE id = :id"
            path = f"{found.ancestry}/{shelf}"
            connection.execute(text(move), {"address": address, "path": path, "now": written(now), "id": box})
            _add_audit(connection, "Location", of=box, user=3, own=next(self._audit_ids), now=now)
            inside = """SELECT COUNT(*) FROM labwares
                JOIN coordinates ON coordinates.id = coordinate_id WHERE coordinates.location_id = :id"""
            count = connection.execute(text(inside), {"id": box}).scalar_one()
            return Deed("boxes moved", f"moves {_name(connection, box)} with {count} labwares to {address}")

    def register(self, now: datetime) -> Deed:
        """Register a new labware and scan it onto a shelf."""
        self._labwares += 1
        own, barcode = self._labwares, f"NEW{self._labwares:06d}"
        row = {"id": own, "barcode": barcode, "uuid": f"registered-{own}", "now": written(now)}
        with databases.begin(self._labwhere) as connection:
            columns = "INSERT INTO labwares (id, barcode, uuid, created_at, updated_at)"
            connection.execute(text(f"{columns} VALUES (:id, :barcode, :uuid, :now, :now)"), row)
            self._stand(connection, own, (LAST_SHELF - 1, None), 4, now)
        return Deed("labwares registered", f"registers {barcode}")

    def delete(self, now: datetime) -> Deed:
        """Delete a labware softly: it stands nowhere, and a row of the target table cannot say that."""
        [labware] = self._pick(1)
        with databases.begin(self._labwhere) as connection:
            self._stand(connection, labware, (None, None), 5, now, deleted=True)
            return Deed("labwares deleted", f"deletes {_barcodes(connection, [labware])} softly")

    def _random_shelf(self) -> int:
        return self._chance.randint(FIRST_SHELF, LAST_SHELF - 1)

    def _pick(self, count: int) -> list[int]:
        """Choose labwares with which nothing else is under way."""
        picked: set[int] = set()
        while len(picked) < count:
            labware = self._chance.randint(1, self._labwares)
            if labware not in self._busy:
                picked.add(labware)
        return sorted(picked)

    def _stand(
        self,
        connection: Connection,
        labware: int,
        place: Place,
        user: int,
        now: datetime,
        audit: int | None = None,
        deleted: bool = False,
    ) -> None:
        """Put a labware in a place; the audit is the next one, or the given one."""
        update = """UPDATE labwares SET location_id = :location, coordinate_id = :coordinate, deleted_at = :deleted,
            updated_at = :now WHERE id = :id"""
        values = {
            "location": place[0],
            "coordinate": place[1],
            "id": labware,
            "now": written(now),
            "deleted": written(now) if deleted else None,
        }
        connection.execute(text(update), values)
        own = next(self._audit_ids) if audit is None else audit
        _add_audit(connection, "Labware", of=labware, user=user, own=own, now=now)


def _add_audit(connection: Connection, kind: str, *, of: int, user: int, own: int, now: datetime) -> None:
    insert = """INSERT INTO audits (id, auditable_type, auditable_id, action, user_id, uuid, created_at, updated_at)
        VALUES (:id, :kind, :of, 'scanned', :user, :uuid, :now, :now)"""
    values = {"id": own, "kind": kind, "of": of, "user": user, "uuid": f"audit-{own}", "now": written(now)}
    connection.execute(text(insert), values)


def _name(connection: Connection, location: int) -> str:
    """Name a location, and what it stands in."""
    query = text("SELECT name, parentage FROM locations WHERE id = :id")
    row = connection.execute(query, {"id": location}).one()
    return f"{row.name} of {row.parentage.split(' / ')[-1]}"


def _free_places(connection: Connection, box: int, count: int) -> list[int]:
    query = """SELECT coordinates.id FROM coordinates LEFT JOIN labwares ON coordinate_id = coordinates.id
        WHERE coordinates.location_id = :box AND labwares.id IS NULL ORDER BY position LIMIT :count"""
    return list(connection.execute(text(query), {"box": box, "count": count}).scalars())


def _barcodes(connection: Connection, labwares: Sequence[int]) -> str:
    """Name a labware by its barcode; name several by their number and the first barcode."""
    if not labwares:
        return "nothing"
    query = text("SELECT barcode FROM labwares WHERE id = :id")
    first = str(connection.execute(query, {"id": labwares[0]}).scalar_one())
    return first if len(labwares) == 1 else f"{len(labwares)} labwares ({first}, ...)"
