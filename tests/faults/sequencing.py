"""The writer's changes in MLWH and MLWH Events: statuses (late, tied, old), and parts that come later."""

import functools
import itertools
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import URL

from tests.faults.ledger import Ledger, RunPart
from tests.faults.source import Source, Transaction
from tests.faults.storage import Hold, now

Later = Callable[[Callable[[], None], int], None]
"""Do something a number of steps later."""

STUDY = 1
SAMPLE_ROLE, LABWARE_ROLE, MANIFEST_UPDATED = 1, 2, 2
INSERT_STATUS = """INSERT INTO iseq_run_status (id_run_status, id_run, date, id_run_status_dict, iscurrent)
    VALUES (:id, :run, :at, :status, 1)"""
INSERT_SAMPLE = """INSERT INTO sample (id_lims, uuid_sample_lims, id_sample_lims, last_updated, recorded_at, name,
    supplier_name) VALUES ('SQSCP', :uuid, :own, :at, :at, :own, :supplier)"""
INSERT_FLOWCELL = """INSERT INTO iseq_flowcell (last_updated, recorded_at, id_sample_tmp, id_study_tmp, id_lims,
    id_flowcell_lims, position, tag_index, entity_type, entity_id_lims, id_pool_lims)
    VALUES (:at, :at, :sample, :study, 'SQSCP', :run, 1, :tag, 'library_indexed', :tag, :run)"""
INSERT_PRODUCT = """INSERT INTO iseq_product_metrics (id_iseq_product, last_changed, id_iseq_flowcell_tmp, id_run,
    position, tag_index) VALUES (:product, :at, :flowcell, :run, 1, :tag)"""
INSERT_PLACE = """INSERT INTO seq_product_irods_locations (id_product, seq_platform_name, pipeline_name,
    irods_root_collection, irods_data_relative_path, irods_secondary_data_relative_path)
    VALUES (:product, 'Illumina', 'npg-prod', :root, :path, :secondary)"""


@dataclass
class Sample:
    """A sample of a run that the writer started, and its product."""

    id: int
    uuid: uuid.UUID
    supplier: str
    product: str
    flowcell: int
    tag: int
    labwares: list[str] = field(default_factory=list)
    places: list[tuple[str | None, str | None, str | None]] = field(default_factory=lambda: [(None, None, None)])


@dataclass
class Run:
    """A sequencing run that the writer started."""

    id: int
    samples: list[Sample]


class Sequencing:
    """MLWH and MLWH Events. Each status has a kind of its own, so no two messages are equal."""

    def __init__(self, mlwh: URL, events: URL, ledger: Ledger, chance: random.Random, hold: Hold, later: Later) -> None:
        self.mlwh, self.events = Source(mlwh, ledger), Source(events, ledger)
        self.ledger, self.chance, self.hold, self.later = ledger, chance, hold, later
        self.runs = [row[0] for row in self.mlwh.read("SELECT DISTINCT id_run FROM iseq_product_metrics ORDER BY 1")]
        known = self.mlwh.read("SELECT date, id_run, id_run_status_dict FROM iseq_run_status")
        ledger.statuses_ever |= {(date.replace(tzinfo=UTC), run, status) for date, run, status in known}
        self._status_ids = itertools.count(1 + self._highest("iseq_run_status", "id_run_status"))
        self._run_ids = itertools.count(1 + max(self.runs, default=50_000))
        self._numbers, self._kinds = itertools.count(1), itertools.count(101)
        self.study = str(self.mlwh.read(f"SELECT name FROM study WHERE id_study_tmp = {STUDY}")[0][0])
        self.unnamed = [
            row[0] for row in self.mlwh.read("SELECT id_sample_tmp FROM sample WHERE supplier_name IS NULL")
        ]

    def _highest(self, table: str, column: str) -> int:
        return int(self.mlwh.read(f"SELECT COALESCE(MAX({column}), 0) FROM {table}")[0][0])

    def deeds(self, announced_only: bool) -> list[tuple[int, Callable[[], None]]]:
        """List each kind of change, with its weight."""
        deeds = [
            (6, self.set_status),
            (3, self.set_late),
            (2, self.set_concurrently),
            (2, self.load),
            (2, self.set_hours_late),
        ]
        return deeds if announced_only else [*deeds, (2, self.start_run), (1, self.name_supplier)]

    def set_status(self) -> None:
        """Give a run a status."""
        with self.mlwh.change("statuses") as change:
            self._status(change, self.chance.choice(self.runs))

    def set_late(self) -> None:
        """Take a status's id, and commit it long after higher ids."""
        with self.mlwh.left_open("late commits") as change:
            self._status(change, self.chance.choice(self.runs))
        self.hold(change, self.chance.randint(8, 80))

    def set_concurrently(self) -> None:
        """Take ids in some transactions by turns, and commit these in another order."""
        with self.mlwh.changes("concurrent transactions", self.chance.randint(2, 4)) as opened:
            for _ in range(2):
                for change in opened:
                    self._status(change, self.chance.choice(self.runs))
            self.chance.shuffle(opened)

    def load(self) -> None:
        """Set some statuses of the same second in one transaction."""
        at = now()
        with self.mlwh.change("ties") as change:
            for run in self.chance.sample(self.runs, min(6, len(self.runs))):
                self._status(change, run, at)

    def set_hours_late(self) -> None:
        """Add a status of hours or weeks ago, of a run whose parts have long been there."""
        hours = self.chance.uniform(1, 40) if self.chance.random() < 0.7 else self.chance.uniform(15, 25) * 24
        at = (now() - timedelta(hours=hours)).replace(microsecond=0)
        with self.mlwh.change("hours late") as change:
            self._status(change, self.runs[self.chance.randrange(min(10, len(self.runs)))], at)

    def start_run(self) -> None:
        """Start a run with only a status; products, manifest, links, iRODS paths and names come later, one by one."""
        run = Run(next(self._run_ids), [])
        with self.mlwh.change("runs started") as change:
            self._status(change, run.id)
            for tag in range(1, self.chance.randint(3, 6)):
                run.samples.append(self._sample(change, run, tag))
        for step in (self._add_products, self._add_manifest, self._add_places, self._name, self._open_to_statuses):
            self.later(functools.partial(step, run), self.chance.randint(3, 40))
        for step in (self._link, self._add_second_manifest):
            self.later(functools.partial(step, run), self.chance.randint(41, 60))

    def name_supplier(self) -> None:
        """Give a supplier's name to a sample that waits in quarantine."""
        if self.unnamed:
            sample = self.unnamed.pop()
            with self.mlwh.change("broken rows mended") as change:
                update = "UPDATE sample SET supplier_name = :name WHERE id_sample_tmp = :id AND supplier_name IS NULL"
                change.do(update, id=sample, name=f"named late {sample}")

    def give_anew(self, change: Transaction, ids: Sequence[int]) -> None:
        """Give these ids to other statuses; further statuses get ids above them."""
        for id in ids:
            self._status(change, self.chance.choice(self.runs), id=id)
        self._status_ids = itertools.count(max(ids) + 1)

    def start_wide_run(self, paths: int) -> tuple[str, int]:
        """Make a run whole at once; return one of its samples and a status: that message has so many iRODS paths."""
        run = Run(next(self._run_ids), [])
        with self.mlwh.change("wide runs") as change:
            run.samples += [self._sample(change, run, tag) for tag in (1, 2, 3)]
            *plain, wide = run.samples
            places = {f"{wide.product[8:]}{number:08}": f"{number:03}{'x' * 200}.cram" for number in range(paths)}
            root = f"/seq/{run.id}"
            wide.places.append((root, ";".join(places.values()), None))
            self._add_manifest(run)
            for sample in plain:
                self._product(change, run, sample, sample.product)
            for product, path in places.items():
                self._product(change, run, wide, product)
                change.do(INSERT_PLACE, product=product, root=root, path=path, secondary=None)
            update = "UPDATE sample SET supplier_name = :name WHERE id_sample_tmp = :id"
            for sample in run.samples:
                change.do(update, name=sample.supplier, id=sample.id)
            self._status(change, run.id)
        return str(wide.uuid), max(change.statuses)

    @staticmethod
    def _product(change: Transaction, run: Run, sample: Sample, product: str) -> None:
        values: dict[str, Any] = {"product": product, "flowcell": sample.flowcell, "tag": sample.tag}
        change.do(INSERT_PRODUCT, **values, run=run.id, at=now())

    def _status(self, change: Transaction, run: int, at: datetime | None = None, id: int = 0) -> None:
        at = at or now()
        status, own = next(self._kinds), id or next(self._status_ids)
        self.ledger.statuses_ever.add((at.replace(tzinfo=UTC), run, status))
        change.do(INSERT_STATUS, id=own, run=run, at=at, status=status)
        change.statuses.add(own)

    def _sample(self, change: Transaction, run: Run, tag: int) -> Sample:
        number = next(self._numbers)
        own = uuid.UUID(int=self.chance.getrandbits(128))
        named = self.chance.random() < 0.6
        supplier = f"wrítten {number}"
        values: dict[str, Any] = {"uuid": str(own), "own": f"w{number}", "at": now()}
        id = change.do(INSERT_SAMPLE, **values, supplier=supplier if named else None)
        flowcell = change.do(INSERT_FLOWCELL, at=now(), sample=id, study=STUDY, run=str(run.id), tag=tag)
        return Sample(id, own, supplier, f"{run.id}{tag:02}{number}".rjust(64, "0"), flowcell, tag)

    def _add_products(self, run: Run) -> None:
        with self.mlwh.change("products") as change:
            for sample in run.samples:
                linked = None if sample.tag == 2 else sample.flowcell
                values: dict[str, Any] = {"product": sample.product, "flowcell": linked, "tag": sample.tag}
                change.do(INSERT_PRODUCT, **values, run=run.id, at=now())

    def _link(self, run: Run) -> None:
        with self.mlwh.change("products linked") as change:
            for sample in run.samples:
                update = (
                    "UPDATE iseq_product_metrics SET id_iseq_flowcell_tmp = :flowcell WHERE id_iseq_product = :name"
                )
                change.do(update, flowcell=sample.flowcell, name=sample.product)

    def _add_places(self, run: Run) -> None:
        """Give some samples one or two paths in iRODS, each under a root of its own."""
        for sample in run.samples:
            for root in self.chance.sample(["/seq", "/archive"], self.chance.randint(0, 2)):
                place = (f"{root}/{run.id}", f"plex{sample.tag}.cram", self.chance.choice((None, "plex.crai")))
                sample.places.append(place)
        self._note(run)
        with self.mlwh.change("iRODS paths") as change:
            for sample in run.samples:
                for root_name, path, secondary in sample.places[1:]:
                    values: dict[str, Any] = {"root": root_name, "path": path, "secondary": secondary}
                    change.do(INSERT_PLACE, product=sample.product, **values)

    def _name(self, run: Run) -> None:
        with self.mlwh.change("broken rows mended") as change:
            for sample in run.samples:
                change.do(
                    "UPDATE sample SET supplier_name = :name WHERE id_sample_tmp = :id",
                    id=sample.id,
                    name=sample.supplier,
                )

    def _add_manifest(self, run: Run) -> None:
        self._manifest(run, run.samples, [f"PL{run.id}", f"PM{run.id}"][: self.chance.randint(1, 2)])

    def _add_second_manifest(self, run: Run) -> None:
        """Correct the manifest of every second run: some samples stand in another labware."""
        if self.chance.random() < 0.5:
            self._manifest(run, run.samples[::2], [f"PX{run.id}"])

    def _manifest(self, run: Run, samples: list[Sample], labwares: list[str]) -> None:
        for sample in samples:
            sample.labwares += labwares
        self._note(run)
        with self.events.change("manifests") as change:
            event = change.do(
                "INSERT INTO events (lims_id, uuid, event_type_id, occured_at, user_identifier)"
                " VALUES ('SQSCP', :uuid, :type, :at, 'ab1')",
                uuid=uuid.UUID(int=self.chance.getrandbits(128)).bytes,
                type=MANIFEST_UPDATED,
                at=now(),
            )
            for sample in samples:
                self._role(change, event, sample.uuid, f"sample {sample.id}", SAMPLE_ROLE)
            for name in labwares:
                self._role(change, event, uuid.uuid5(uuid.NAMESPACE_OID, name), name, LABWARE_ROLE)

    @staticmethod
    def _role(change: Transaction, event: int, own: uuid.UUID, name: str, kind: int) -> None:
        found = change.rows("SELECT id FROM subjects WHERE uuid = :uuid", uuid=own.bytes)
        insert = "INSERT INTO subjects (uuid, friendly_name, subject_type_id) VALUES (:uuid, :name, :kind)"
        subject = found[0][0] if found else change.do(insert, uuid=own.bytes, name=name, kind=kind)
        insert = "INSERT INTO roles (event_id, subject_id, role_type_id) VALUES (:event, :subject, :kind)"
        change.do(insert, event=event, subject=subject, kind=kind)

    def _open_to_statuses(self, run: Run) -> None:
        self.runs.append(run.id)

    def _note(self, run: Run) -> None:
        """Note every combination that was ever true: Janitor reads the parts one after the other."""
        for sample in run.samples:
            for labware in sample.labwares:
                for place in sample.places:
                    self.ledger.parts_ever.add(RunPart(run.id, self.study, sample.supplier, labware, *place))

    def close(self) -> None:
        """Close every connection."""
        self.mlwh.close()
        self.events.close()
