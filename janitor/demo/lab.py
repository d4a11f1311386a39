"""A lab at work: each step scans labware, moves a box or sets a run's status, some of it late and some of it broken."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.demo.new_run import Deed, NewRun, written
from janitor.demo.sequencing_rows import STATUSES
from janitor.demo.storage_rows import FIRST_SHELF, LAST_SHELF, NOBODY, UNKNOWN_LOCATION, USERS

NEW_RUN_SAMPLES = 6


@dataclass(frozen=True)
class Later:
    """Something the lab will do: at this moment, or soon after it."""

    due_at: datetime
    act: Callable[[datetime], Deed]


class SimulatedLab:
    """Works on filled warehouses, and is the only one who writes in their source tables; commits each step by itself.

    Ids are given by the lab, so that one taken early can be committed late, as by a long transaction.
    """

    def __init__(self, labwhere: URL, mlwh: URL, events: URL, seed: int) -> None:
        """Look at what the warehouses hold; nothing is written yet."""
        self.labwhere, self.mlwh, self.events = labwhere, mlwh, events
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._later: list[Later] = []
        self._busy: set[int] = set()
        self._runs: dict[int, int] = {}
        self._deck: list[Callable[[datetime], Deed]] = []
        self._labwares = _highest(labwhere, "labwares", "id")
        self._boxes = _column(labwhere, "SELECT id FROM locations WHERE type = 'OrderedLocation'")
        self._ids = {
            table: itertools.count(_highest(url, table, column) + 1)
            for url, table, column in (
                (labwhere, "audits", "id"),
                (mlwh, "iseq_run_status", "id_run_status"),
                (mlwh, "iseq_product_metrics", "id_iseq_pr_metrics_tmp"),
                (mlwh, "sample", "id_sample_tmp"),
                (events, "subjects", "id"),
                (events, "events", "id"),
            )
        }
        self._next_run = _highest(mlwh, "iseq_product_metrics", "id_run") + 1

    def step(self, now: datetime) -> Deed:
        """Do the next thing, at `now` (aware UTC): something that is due, or else something new."""
        due = min(self._later, key=lambda later: later.due_at, default=None)
        if due is not None and due.due_at <= now:
            self._later.remove(due)
            deed = due.act(now)
        else:
            deed = self._draw()(now)
        self.done[deed.kind] += 1
        return deed

    def finish(self, now: datetime) -> Iterator[Deed]:
        """End all that was begun: late commits, parts on their way, rows to be mended."""
        while self._later:
            later = min(self._later, key=lambda one: one.due_at)
            self._later.remove(later)
            deed = later.act(now)
            self.done[deed.kind] += 1
            yield deed

    def _draw(self) -> Callable[[datetime], Deed]:
        """Every kind of thing in its turn, in a new order each time."""
        if not self._deck:
            self._deck.extend([self.scan] * 4 + [self.set_status] * 3 + [self.move_box, self.scan_out, self.scan_late])
            self._deck.extend([self.set_status_late, self.scan_by_nobody, self.register, self.delete])
            self.chance.shuffle(self._deck)
            self._deck.append(self.start_run)
        return self._deck.pop()

    def _in(self, seconds: float, now: datetime, act: Callable[[datetime], Deed]) -> None:
        self._later.append(Later(now + timedelta(seconds=seconds), act))

    def scan(self, now: datetime) -> Deed:
        """Scan a few labwares onto a shelf, or into the free places of a box."""
        labwares = self._pick(self.chance.randint(1, 6))
        user = self.chance.randint(1, USERS)
        with databases.begin(self.labwhere) as connection:
            if self.chance.random() < 0.5:
                shelf = self.chance.randint(FIRST_SHELF, LAST_SHELF - 1)
                places: list[tuple[int | None, int | None]] = [(shelf, None)] * len(labwares)
                where = _name(connection, shelf)
            else:
                box = self.chance.choice(self._boxes)
                places = [(None, place) for place in _free_places(connection, box, len(labwares))]
                where = _name(connection, box)
            for labware, place in zip(labwares, places, strict=False):
                self._stand(connection, labware, place, user, next(self._ids["audits"]), now)
            words = f"scans {_barcodes(connection, labwares[:len(places)])} into {where}"
        return Deed("scans", words)

    def scan_out(self, now: datetime) -> Deed:
        """Scan a labware out: it stands in the unknown location."""
        [labware] = self._pick(1)
        with databases.begin(self.labwhere) as connection:
            self._stand(connection, labware, (UNKNOWN_LOCATION, None), 1, next(self._ids["audits"]), now)
            return Deed("scans out", f"scans {_barcodes(connection, [labware])} out")

    def scan_by_nobody(self, now: datetime) -> Deed:
        """Scan a labware as a user without a login; mostly, somebody with one scans it again later."""
        [labware] = self._pick(1)
        place = (self.chance.randint(FIRST_SHELF, LAST_SHELF - 1), None)
        with databases.begin(self.labwhere) as connection:
            self._stand(connection, labware, place, NOBODY, next(self._ids["audits"]), now)
            barcode = _barcodes(connection, [labware])
        if self.chance.random() < 0.7:
            self._busy.add(labware)
            self._in(5, now, lambda then: self._scan_again(labware, then))
        return Deed("broken rows", f"scans {barcode} as a user without a login")

    def _scan_again(self, labware: int, now: datetime) -> Deed:
        self._busy.discard(labware)
        with databases.begin(self.labwhere) as connection:
            self._stand(connection, labware, (FIRST_SHELF, None), 1, next(self._ids["audits"]), now)
            return Deed("broken rows mended", f"scans {_barcodes(connection, [labware])} again, with a login")

    def scan_late(self, now: datetime) -> Deed:
        """Take an audit's id now, and commit the scan only when others with higher ids are long there."""
        [labware] = self._pick(1)
        self._busy.add(labware)
        audit, shelf = next(self._ids["audits"]), self.chance.randint(FIRST_SHELF, LAST_SHELF - 1)
        self._in(4, now, lambda then: self._commit_scan(labware, shelf, audit, now))
        with databases.read(self.labwhere) as connection:
            barcode = _barcodes(connection, [labware])
        return Deed("late commits begun", f"begins to scan {barcode} as audit {audit}, and does not commit")

    def _commit_scan(self, labware: int, shelf: int, audit: int, begun_at: datetime) -> Deed:
        self._busy.discard(labware)
        with databases.begin(self.labwhere) as connection:
            self._stand(connection, labware, (shelf, None), 2, audit, begun_at)
            newest = connection.execute(text("SELECT MAX(id) FROM audits")).scalar_one()
            barcode = _barcodes(connection, [labware])
        return Deed(
            "late scans committed", f"commits audit {audit} of {barcode} late: audit {newest} was there before it"
        )

    def move_box(self, now: datetime) -> Deed:
        """Carry a box to another shelf: one audit of the box, and none of the labwares in it."""
        box = self.chance.choice(self._boxes)
        shelf = self.chance.randint(FIRST_SHELF, LAST_SHELF - 1)
        with databases.begin(self.labwhere) as connection:
            found = connection.execute(
                text("SELECT name, parentage, ancestry FROM locations WHERE id = :id"), {"id": shelf}
            ).one()
            address = f"{found.parentage} / {found.name}"
            move = "UPDATE locations SET parentage = :address, ancestry = :path, updated_at = :now WHERE id = :id"
            path = f"{found.ancestry}/{shelf}"
            connection.execute(text(move), {"address": address, "path": path, "now": written(now), "id": box})
            self._audit(connection, "Location", box, 3, next(self._ids["audits"]), now)
            inside = """SELECT COUNT(*) FROM labwares
                JOIN coordinates ON coordinates.id = coordinate_id WHERE coordinates.location_id = :id"""
            count = connection.execute(text(inside), {"id": box}).scalar_one()
            return Deed("boxes moved", f"moves {_name(connection, box)} with {count} labwares to {address}")

    def register(self, now: datetime) -> Deed:
        """Register a new labware and scan it onto a shelf."""
        self._labwares += 1
        own, barcode = self._labwares, f"NEW{self._labwares:06d}"
        row = {"id": own, "barcode": barcode, "uuid": f"registered-{own}", "now": written(now)}
        with databases.begin(self.labwhere) as connection:
            columns = "INSERT INTO labwares (id, barcode, uuid, created_at, updated_at)"
            connection.execute(text(f"{columns} VALUES (:id, :barcode, :uuid, :now, :now)"), row)
            self._stand(connection, own, (LAST_SHELF - 1, None), 4, next(self._ids["audits"]), now)
        return Deed("labwares registered", f"registers {barcode}")

    def delete(self, now: datetime) -> Deed:
        """Delete a labware softly: it stands nowhere, which its row in the table cannot say."""
        [labware] = self._pick(1)
        with databases.begin(self.labwhere) as connection:
            self._stand(connection, labware, (None, None), 5, next(self._ids["audits"]), now, deleted=True)
            return Deed("labwares deleted", f"deletes {_barcodes(connection, [labware])} softly")

    def start_run(self, now: datetime) -> Deed:
        """Start a sequencing run; its products, manifest, links and iRODS paths each arrive later than its status."""
        id_run, self._next_run = self._next_run, self._next_run + 1
        samples = [next(self._ids["sample"]) for _ in range(NEW_RUN_SAMPLES)]
        products = [next(self._ids["iseq_product_metrics"]) for _ in samples]
        run = NewRun(id_run, samples, products, f"RUN{id_run}")
        with databases.begin(self.mlwh) as connection:
            run.add_flowcell(connection, now)
            self._runs[id_run] = 1
            self._status(connection, id_run, 1, next(self._ids["iseq_run_status"]), now)
        subjects = [next(self._ids["subjects"]) for _ in range(len(samples) + 1)]
        event = next(self._ids["events"])
        for seconds, act in (
            (1.0, lambda then: run.add_products(self.mlwh, then)),
            (2.5, lambda then: run.add_manifest(self.events, event, subjects, then)),
            (4.0, lambda then: run.link_last_product(self.mlwh, then)),
            (5.5, lambda then: run.add_paths(self.mlwh, then)),
            (7.0, lambda then: run.name_supplier(self.mlwh, then)),
        ):
            self._in(seconds, now, act)
        return Deed("runs started", f"starts run {id_run} with {len(samples)} samples: {STATUSES[0]}")

    def set_status(self, now: datetime) -> Deed:
        """Set the next status of a run that is going on."""
        id_run, status = self._advance(now)
        with databases.begin(self.mlwh) as connection:
            self._status(connection, id_run, status, next(self._ids["iseq_run_status"]), now)
        return Deed("statuses set", f"sets run {id_run} to {STATUSES[status - 1]!r}")

    def set_status_late(self, now: datetime) -> Deed:
        """Take a status's id now, and commit it only when others with higher ids are there."""
        id_run, status = self._advance(now)
        own = next(self._ids["iseq_run_status"])
        self._in(4, now, lambda then: self._commit_status(id_run, status, own, now))
        words = f"begins to set run {id_run} to {STATUSES[status - 1]!r} as status {own}, and does not commit"
        return Deed("late commits begun", words)

    def _commit_status(self, id_run: int, status: int, own: int, begun_at: datetime) -> Deed:
        with databases.begin(self.mlwh) as connection:
            self._status(connection, id_run, status, own, begun_at)
            newest = connection.execute(text("SELECT MAX(id_run_status) FROM iseq_run_status")).scalar_one()
        return Deed("late statuses committed", f"commits status {own} of run {id_run} late: the newest is {newest}")

    def _advance(self, now: datetime) -> tuple[int, int]:
        """A run that is going on, and its next status; where all are over, the newest begins anew."""
        if not any(status < len(STATUSES) for status in self._runs.values()):
            self._runs[self._next_run - 1] = 1
        id_run = self.chance.choice([run for run, status in self._runs.items() if status < len(STATUSES)])
        self._runs[id_run] += 1
        return id_run, self._runs[id_run]

    def _pick(self, count: int) -> list[int]:
        """Labwares that nothing else is under way with."""
        free = (self.chance.randint(1, self._labwares) for _ in itertools.count())
        picked: set[int] = set()
        for labware in free:
            if labware not in self._busy:
                picked.add(labware)
            if len(picked) == count:
                return sorted(picked)
        raise AssertionError("endless")

    def _stand(
        self,
        connection: Connection,
        labware: int,
        place: tuple[int | None, int | None],
        user: int,
        audit: int,
        now: datetime,
        deleted: bool = False,
    ) -> None:
        update = """UPDATE labwares SET location_id = :location, coordinate_id = :coordinate, deleted_at = :deleted,
            updated_at = :now WHERE id = :id"""
        values = {"location": place[0], "coordinate": place[1], "id": labware, "now": written(now)}
        connection.execute(text(update), values | {"deleted": written(now) if deleted else None})
        self._audit(connection, "Labware", labware, user, audit, now)

    def _audit(self, connection: Connection, kind: str, of: int, user: int, audit: int, now: datetime) -> None:
        insert = """INSERT INTO audits (id, auditable_type, auditable_id, action, user_id, uuid, created_at, updated_at)
            VALUES (:id, :kind, :of, 'scanned', :user, :uuid, :now, :now)"""
        values = {"id": audit, "kind": kind, "of": of, "user": user, "uuid": f"audit-{audit}", "now": written(now)}
        connection.execute(text(insert), values)

    def _status(self, connection: Connection, id_run: int, status: int, own: int, now: datetime) -> None:
        connection.execute(text("UPDATE iseq_run_status SET iscurrent = 0 WHERE id_run = :run"), {"run": id_run})
        insert = """INSERT INTO iseq_run_status (id_run_status, id_run, date, id_run_status_dict, iscurrent)
            VALUES (:id, :run, :now, :status, 1)"""
        connection.execute(text(insert), {"id": own, "run": id_run, "now": written(now), "status": status})


def _column(url: URL, query: str) -> list[Any]:
    with databases.read(url) as connection:
        return list(connection.execute(text(query)).scalars())


def _highest(url: URL, table: str, column: str) -> int:
    return int(_column(url, f"SELECT COALESCE(MAX({column}), 0) FROM {table}")[0])


def _name(connection: Connection, location: int) -> str:
    """A location by its name, and what it stands in."""
    query = text("SELECT name, parentage FROM locations WHERE id = :id")
    row = connection.execute(query, {"id": location}).one()
    return f"{row.name} of {row.parentage.split(' / ')[-1]}"


def _free_places(connection: Connection, box: int, count: int) -> list[int]:
    query = """SELECT coordinates.id FROM coordinates LEFT JOIN labwares ON coordinate_id = coordinates.id
        WHERE coordinates.location_id = :box AND labwares.id IS NULL ORDER BY position LIMIT :count"""
    return list(connection.execute(text(query), {"box": box, "count": count}).scalars())


def _barcodes(connection: Connection, labwares: Sequence[int]) -> str:
    """One labware by its barcode, several by their number and the first of them."""
    if not labwares:
        return "nothing"
    query = text("SELECT barcode FROM labwares WHERE id = :id")
    first = str(connection.execute(query, {"id": labwares[0]}).scalar_one())
    return first if len(labwares) == 1 else f"{len(labwares)} labwares ({first}, ...)"
