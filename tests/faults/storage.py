"""The writer's changes in LabWhere: scans, late commits, ties, deletes, renames, broken rows."""

import random
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import URL

from tests.faults.ledger import Ledger
from tests.faults.source import Source, Transaction

Hold = Callable[[Transaction, int], None]
"""Leave a transaction open; it is committed a number of steps later."""

INSERT_AUDIT = """INSERT INTO audits (id, auditable_type, auditable_id, action, record_data, user_id, created_at,
    updated_at, uuid) VALUES (:id, :kind, :of, 'scanned', '{}', :user, :at, :at, :uuid)"""
STAND = "UPDATE labwares SET location_id = :location, coordinate_id = :coordinate, updated_at = :at WHERE id = :id"


class Storage:
    """LabWhere. Labwares and locations in an open transaction are left alone until it ends.

    It also spoils rows of the target by hand: only a reconcile can notice that.
    """

    def __init__(self, labwhere: URL, mlwh: URL, ledger: Ledger, chance: random.Random, hold: Hold) -> None:
        self.source, self.target = Source(labwhere, ledger), Source(mlwh, ledger)
        self.ledger, self.chance, self.hold = ledger, chance, hold
        self.labwares = dict(self.source.read("SELECT id, barcode FROM labwares"))
        self.untouched = set(self.labwares)
        self.busy: set[int] = set()
        self.busy_places: set[int] = set()
        self.shelves = self._ids("SELECT id FROM locations WHERE type = 'UnorderedLocation' AND barcode IS NOT NULL")
        self.boxes = self._ids("SELECT id FROM locations WHERE type = 'OrderedLocation'")
        self.coordinates = self._ids("SELECT id FROM coordinates")
        self.users = self._ids("SELECT id FROM users WHERE login IS NOT NULL")
        self.nobody = self._ids("SELECT id FROM users WHERE login IS NULL")[0]
        self.registered = 0

    def _ids(self, query: str) -> list[int]:
        return [row[0] for row in self.source.read(f"{query} ORDER BY id")]

    def deeds(self, announced_only: bool) -> list[tuple[int, Callable[[], None]]]:
        """List each kind of change, with its weight."""
        deeds = [
            (12, self.scan),
            (4, self.scan_late),
            (4, self.scan_concurrently),
            (2, self.scan_in_one_second),
            (2, self.scan_hours_late),
            (2, self.break_one),
            (2, self.rename),
            (2, self.register),
            (1, self.delete),
        ]
        return deeds if announced_only else [*deeds, (2, self.rename_silently), (3, self.spoil_target)]

    def scan(self) -> None:
        """Put a few labwares somewhere else, in one transaction."""
        with self.source.change("moves") as change:
            for labware in self.pick(self.chance.randint(1, 5)):
                self.move(change, labware)

    def scan_late(self) -> None:
        """Take ids of audits, and commit them long after higher ids."""
        self._held(self.pick(self.chance.randint(1, 2)), "late commits", self.chance.randint(8, 80))

    def scan_concurrently(self) -> None:
        """Take ids in some transactions by turns, and commit these in another order."""
        with self.source.changes("concurrent transactions", self.chance.randint(2, 4)) as opened:
            labwares = self.pick(2 * len(opened))
            for turn in range(2):
                for number, change in enumerate(opened):
                    self.move(change, labwares[2 * number + turn])
            self.chance.shuffle(opened)

    def scan_in_one_second(self) -> None:
        """Make twenty scans in the same second, each in a transaction; some are of the same labware."""
        at, labwares = now(), self.pick(10)
        for labware in [*labwares, *labwares]:
            with self.source.change("ties") as change:
                self.move(change, labware, at)

    def scan_hours_late(self) -> None:
        """Add a scan of some hours ago; nobody has touched that labware since."""
        free = sorted(self.untouched - self.busy)
        if not free:
            return self.scan()
        labware = self.chance.choice(free)
        self.untouched.discard(labware)
        with self.source.change("hours late") as change:
            query = "SELECT MAX(updated_at) FROM audits WHERE auditable_type = 'Labware' AND auditable_id = :id"
            last = change.rows(query, id=labware)[0][0]
            earliest = max(last or datetime.min, now() - timedelta(hours=9))
            self.move(change, labware, earliest + (now() - earliest) * self.chance.random())

    def break_one(self) -> None:
        """Let a labware stand nowhere, or let a user without a login scan it; mostly it is mended later."""
        [labware] = self.pick(1)
        with self.source.change("broken rows") as change:
            if self.chance.random() < 0.6:
                self._stand(change, labware, None, None, now())
                self._audit(change, "Labware", labware, self.chance.choice(self.users), now())
            else:
                self.move(change, labware, user=self.nobody)
        if self.chance.random() < 0.7:
            self._held([labware], "broken rows mended", self.chance.randint(5, 60))

    def rename(self) -> None:
        """Rename a shelf or box or carry it elsewhere, with one audit; sometimes that commits late."""
        place = self._place()
        if place is None:
            return self.scan()
        with self.source.left_open("locations changed") as change:
            self.busy_places.add(place)
            change.after.append(lambda: self.busy_places.discard(place))
            self._rename(change, place)
            self._audit(change, "Location", place, self.chance.choice(self.users), now())
        if self.chance.random() < 0.4:
            self.hold(change, self.chance.randint(5, 60))
        else:
            change.commit()

    def rename_silently(self) -> None:
        """Carry a shelf elsewhere, without an audit."""
        place = self._place()
        if place is not None:
            with self.source.change("locations changed without an audit") as change:
                self._rename(change, place)

    def register(self) -> None:
        """Register a labware; mostly it is scanned at once, else it has no audit."""
        self.registered += 1
        barcode, at = f"NEW{self.registered:05d}", now()
        with self.source.change("labwares registered") as change:
            insert = "INSERT INTO labwares (barcode, uuid, created_at, updated_at) VALUES (:barcode, :uuid, :at, :at)"
            labware = change.do(insert, barcode=barcode, uuid=str(uuid.UUID(int=self.chance.getrandbits(128))), at=at)
            if self.chance.random() < 0.8:
                self.move(change, labware, at)
        self.labwares[labware] = barcode

    def delete(self) -> None:
        """Delete a labware from its table; half of the time with an audit."""
        [labware] = self.pick(1)
        with self.source.change("labwares deleted") as change:
            self.ledger.labwares_deleted.add(self.labwares[labware])
            change.do("DELETE FROM labwares WHERE id = :id", id=labware)
            if self.chance.random() < 0.5:
                self._audit(change, "Labware", labware, self.chance.choice(self.users), now())
        del self.labwares[labware]

    def spoil_target(self) -> None:
        """Change or delete a row of the target by hand."""
        [labware] = self.pick(1)
        statement = "UPDATE labware_location SET location_name = 'by hand' WHERE labware_barcode = :barcode"
        if self.chance.random() < 0.5:
            statement = "DELETE FROM labware_location WHERE labware_barcode = :barcode"
        with self.target.change("rows of the target changed by hand") as change:
            change.do(statement, barcode=self.labwares[labware])

    def give_anew(self, change: Transaction, ids: Sequence[int]) -> None:
        """Give these ids of audits to new scans."""
        for id in ids:
            self.move(change, self.pick(1)[0], id=id)

    def move(
        self, change: Transaction, labware: int, at: datetime | None = None, user: int | None = None, id: int = 0
    ) -> None:
        """Put a labware on a shelf or into a box, with an audit; without an id it gets the next one."""
        at = at or now()
        self.untouched.discard(labware)
        if self.chance.random() < 0.5:
            self._stand(change, labware, self.chance.choice(self.shelves), None, at)
        else:
            self._stand(change, labware, None, self.chance.choice(self.coordinates), at)
        self._audit(change, "Labware", labware, user or self.chance.choice(self.users), at, id)

    def pick(self, count: int) -> list[int]:
        """Choose labwares that are in no open transaction."""
        return self.chance.sample(sorted(self.labwares.keys() - self.busy), count)

    def _place(self) -> int | None:
        free = sorted({*self.shelves, *self.boxes} - self.busy_places)
        return self.chance.choice(free) if free else None

    def _held(self, labwares: list[int], kind: str, steps: int) -> None:
        with self.source.left_open(kind) as change:
            self.busy.update(labwares)
            change.after.append(lambda: self.busy.difference_update(labwares))
            for labware in labwares:
                self.move(change, labware)
        self.hold(change, steps)

    @staticmethod
    def _stand(change: Transaction, labware: int, location: int | None, coordinate: int | None, at: datetime) -> None:
        change.do(STAND, id=labware, location=location, coordinate=coordinate, at=at)

    def _rename(self, change: Transaction, place: int) -> None:
        name, address = f"named {self.chance.randint(1, 999)}", f"Room {self.chance.randint(1, 99)} / Freezer"
        values: dict[str, Any] = {"id": place, "name": name, "address": address, "at": now()}
        change.do("UPDATE locations SET name = :name, parentage = :address, updated_at = :at WHERE id = :id", **values)

    def _audit(self, change: Transaction, kind: str, of: int, user: int, at: datetime, id: int = 0) -> None:
        own = str(uuid.UUID(int=self.chance.getrandbits(128)))
        made = change.do(INSERT_AUDIT, id=id or None, kind=kind, of=of, user=user, at=at, uuid=own)
        change.audits.add(id or made)

    def close(self) -> None:
        """Close every connection."""
        self.source.close()
        self.target.close()


def now() -> datetime:
    """Return the current second as the warehouses write it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
