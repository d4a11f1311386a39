"""A sequencing run that was just started: its parts arrive one by one, and some are broken at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.demo.deeds import Deed, written
from janitor.demo.lab_rows import uuid_bytes
from janitor.demo.sequencing_rows import MANIFEST_UPDATED, ROLE_LABWARE, ROLE_SAMPLE, product_id


@dataclass(frozen=True)
class NewRun:
    """A run whose parts arrive one by one. Sample, flowcell row and product have the same place in their lists."""

    id_run: int
    samples: Sequence[int]
    products: Sequence[int]
    flowcell: str

    def add_flowcell(self, connection: Connection, now: datetime) -> None:
        """Register the samples and load them; the last sample has no supplier's name."""
        sample = """INSERT INTO sample (id_sample_tmp, id_lims, uuid_sample_lims, id_sample_lims, last_updated,
            recorded_at, name, supplier_name) VALUES (:id, 'SQSCP', :uuid, :id, :now, :now, :name, :supplier)"""
        loaded = """INSERT INTO iseq_flowcell (id_iseq_flowcell_tmp, last_updated, recorded_at, id_sample_tmp,
            id_study_tmp, id_lims, id_flowcell_lims, position, tag_index, entity_type, entity_id_lims, id_pool_lims)
            VALUES (:id, :now, :now, :sample, 1, 'SQSCP', :name, 1, :tag, 'library_indexed', :id, :name)"""
        for tag, (own, product) in enumerate(zip(self.samples, self.products, strict=True), start=1):
            supplier = None if own == self.samples[-1] else f"supplier sample {own}"
            named = {"id": own, "uuid": self.uuid(own), "name": f"1STDY{own}", "supplier": supplier}
            placed = {"id": product, "sample": own, "name": self.flowcell, "tag": tag}
            connection.execute(text(sample), {**named, "now": written(now)})
            connection.execute(text(loaded), {**placed, "now": written(now)})

    def add_products(self, url: URL, now: datetime) -> Deed:
        """Add the products; the last product but one is not linked to its flowcell row yet."""
        insert = """INSERT INTO iseq_product_metrics (id_iseq_pr_metrics_tmp, id_iseq_product, last_changed,
            id_iseq_flowcell_tmp, id_run, position, tag_index) VALUES (:id, :digest, :now, :flowcell, :run, 1, :tag)"""
        with databases.begin(url) as connection:
            for tag, own in enumerate(self.products, start=1):
                row: dict[str, Any] = {
                    "id": own,
                    "digest": product_id(self.id_run, 1, tag),
                    "run": self.id_run,
                    "flowcell": None if own == self.products[-2] else own,
                    "tag": tag,
                    "now": written(now),
                }
                connection.execute(text(insert), row)
        return Deed("late parts", f"adds the {len(self.products)} products of run {self.id_run}, one not linked yet")

    def add_manifest(self, url: URL, event: int, subjects: Sequence[int], now: datetime) -> Deed:
        """Update the manifest of the samples: they stand in one labware."""
        uuids = [self.uuid(sample) for sample in self.samples] + [self.uuid(event + 10**9)]
        barcode = f"PL{self.id_run}"
        names = [f"1STDY{sample}" for sample in self.samples] + [barcode]
        made = """INSERT INTO events (id, lims_id, uuid, event_type_id, occured_at, user_identifier)
            VALUES (:id, 'SQSCP', :uuid, :type, :now, 'ab1')"""
        subject = "INSERT INTO subjects (id, uuid, friendly_name, subject_type_id) VALUES (:id, :uuid, :name, :type)"
        role = "INSERT INTO roles (event_id, subject_id, role_type_id) VALUES (:event, :subject, :type)"
        with databases.begin(url) as connection:
            uuid_of_event = uuid_bytes(self.uuid(event + 2 * 10**9))
            row = {"id": event, "uuid": uuid_of_event, "type": MANIFEST_UPDATED, "now": written(now)}
            connection.execute(text(made), row)
            for own, uuid, name in zip(subjects, uuids, names, strict=True):
                kind = ROLE_LABWARE if name == barcode else ROLE_SAMPLE
                connection.execute(text(subject), {"id": own, "uuid": uuid_bytes(uuid), "name": name, "type": kind})
                connection.execute(text(role), {"event": event, "subject": own, "type": kind})
        return Deed("late parts", f"fills in the manifest of run {self.id_run}: its samples stand in {barcode}")

    def link_last_product(self, url: URL, now: datetime) -> Deed:
        """Link the product that was not linked."""
        update = "UPDATE iseq_product_metrics SET id_iseq_flowcell_tmp = :id WHERE id_iseq_pr_metrics_tmp = :id"
        with databases.begin(url) as connection:
            connection.execute(text(update), {"id": self.products[-2]})
        return Deed("late parts", f"links a product of run {self.id_run} to its flowcell")

    def add_paths(self, url: URL, now: datetime) -> Deed:
        """Put half of the products into iRODS."""
        insert = """INSERT INTO seq_product_irods_locations (created, last_changed, id_product, seq_platform_name,
            pipeline_name, irods_root_collection, irods_data_relative_path)
            VALUES (:now, :now, :digest, 'Illumina', 'npg-prod', :root, :path)"""
        root = f"/seq/illumina/runs/{self.id_run // 1000}/{self.id_run}"
        half = range(1, len(self.products) // 2 + 1)
        with databases.begin(url) as connection:
            for tag in half:
                path = f"lane1/plex{tag}/{self.id_run}_1#{tag}.cram"
                row = {"digest": product_id(self.id_run, 1, tag), "root": root, "path": path, "now": written(now)}
                connection.execute(text(insert), row)
        return Deed("late parts", f"puts {len(half)} products of run {self.id_run} into iRODS")

    def name_supplier(self, url: URL, now: datetime) -> Deed:
        """Give the missing supplier's name."""
        own = self.samples[-1]
        with databases.begin(url) as connection:
            update = "UPDATE sample SET supplier_name = :name WHERE id_sample_tmp = :id"
            connection.execute(text(update), {"name": f"supplier sample {own}", "id": own})
        return Deed("broken rows mended", f"fills in the missing supplier name of sample {own}")

    def uuid(self, number: int) -> str:
        """Make a uuid for a thing of this run."""
        return f"{self.id_run:08x}-0000-4000-8000-{number:012x}"
