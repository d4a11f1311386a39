"""MLWH and MLWH Events in the hands of a test: runs, products, samples, manifests, iRODS paths and statuses."""

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from tests.fixtures import Warehouses
from tests.tasks.rows import Tables

RUN = 48123
LONG_AGO = datetime(2026, 1, 1)
SAMPLE, LABWARE, OTHER = 1, 2, 3
UPDATED, CREATED = 2, 1


class Warehouse:
    """What happens there; statuses are numbered from 1, a minute apart unless told otherwise."""

    def __init__(self, warehouses: Warehouses, began: datetime) -> None:
        """Statuses are set from `began` on, as the database writes it; the dictionaries are there."""
        self.mlwh, self.events = Tables(warehouses.mlwh), Tables(warehouses.events)
        self.now = began
        self._numbers = itertools.count(1)
        with self.events.transaction():
            for id, key in ((CREATED, "sample_manifest.created"), (UPDATED, "sample_manifest.updated")):
                self.events.add("event_types", id=id, key=key, description=key)
            for id, key in ((SAMPLE, "sample"), (LABWARE, "labware"), (OTHER, "study")):
                self.events.add("role_types", id=id, key=key, description=key)

    def sample(self, supplier_name: str | None = "", labwares: tuple[str, ...] = ("DN1",), uuid_text: str = "") -> int:
        """A sample, and a manifest update if it has labwares; the sample's *_tmp id."""
        number = next(self._numbers)
        uuid_text = uuid_text or str(uuid.UUID(int=number))
        name = f"supplier {number}" if supplier_name == "" else supplier_name
        values = {"id_lims": "SQSCP", "uuid_sample_lims": uuid_text, "id_sample_lims": str(number)}
        dates = {"last_updated": LONG_AGO, "recorded_at": LONG_AGO}
        made = self.mlwh.add("sample", **values, **dates, name=f"sample {number}", supplier_name=name)
        if labwares:
            self.manifest([made], labwares)
        return made

    def study(self, name: str | None = "Study") -> int:
        """A study; its *_tmp id."""
        dates = {"last_updated": LONG_AGO, "recorded_at": LONG_AGO}
        return self.mlwh.add("study", id_lims="SQSCP", id_study_lims=str(next(self._numbers)), **dates, name=name)

    def flowcell(self, sample: int, study: int | None) -> int:
        """A row that says which sample and study a product is of."""
        return self.mlwh.add(
            "iseq_flowcell",
            id_lims="SQSCP",
            id_flowcell_lims="1",
            position=1,
            entity_type="library",
            entity_id_lims="1",
            id_pool_lims="1",
            last_updated=LONG_AGO,
            recorded_at=LONG_AGO,
            id_sample_tmp=sample,
            id_study_tmp=study,
        )

    def product(self, run: int, sample: int, study: int | None, linked: bool = True) -> str:
        """A product of a run; its id_product."""
        name = uuid.uuid4().hex * 2
        flowcell = self.flowcell(sample, study)
        self.mlwh.add(
            "iseq_product_metrics",
            id_iseq_product=name,
            id_iseq_flowcell_tmp=flowcell if linked else None,
            id_run=run,
            last_changed=LONG_AGO,
        )
        return name

    def irods(self, product: str, root: str, path: str | None, secondary: str | None = None) -> int:
        """The product is in iRODS."""
        values = {"id_product": product, "seq_platform_name": "Illumina", "pipeline_name": "npg-prod"}
        paths = {"irods_data_relative_path": path, "irods_secondary_data_relative_path": secondary}
        return self.mlwh.add("seq_product_irods_locations", **values, irods_root_collection=root, **paths)

    def status(self, run: int, status: int = 20, at: datetime | None = None, id: int | None = None) -> int:
        """A status of a run is set; its id."""
        self.now += timedelta(minutes=1)
        own = id if id is not None else 1 + max((row["id_run_status"] for row in self._statuses()), default=0)
        values = {"id_run_status": own, "id_run": run, "date": at or self.now, "id_run_status_dict": status}
        self.mlwh.add("iseq_run_status", **values, iscurrent=1)
        return own

    def _statuses(self) -> list[dict[str, Any]]:
        return self.mlwh.all("iseq_run_status", "id_run_status")

    def subject(self, uuid_bytes: bytes, name: str) -> int:
        """A subject, the same for the same uuid."""
        for row in self.events.all("subjects", "id", "uuid"):
            if bytes(row["uuid"]) == uuid_bytes:
                return int(row["id"])
        return self.events.add("subjects", uuid=uuid_bytes, friendly_name=name, subject_type_id=1)

    def manifest(
        self, samples: list[int], labwares: tuple[str, ...], kind: int = UPDATED, id: int | None = None
    ) -> int:
        """An event in which samples and labwares take part; its id."""
        uuids = {row["id_sample_tmp"]: row["uuid_sample_lims"] for row in self.mlwh.all("sample", *SAMPLE_KEYS)}
        event = self.events.add(
            "events",
            lims_id="SQSCP",
            uuid=uuid.uuid4().bytes,
            event_type_id=kind,
            occured_at=LONG_AGO,
            user_identifier="ab1",
            **({} if id is None else {"id": id}),
        )
        for sample in samples:
            subject = self.subject(uuid.UUID(uuids[sample]).bytes, f"sample {sample}")
            self.events.add("roles", event_id=event, subject_id=subject, role_type_id=SAMPLE)
        for labware in labwares:
            subject = self.subject(uuid.uuid5(uuid.NAMESPACE_OID, labware).bytes, labware)
            self.events.add("roles", event_id=event, subject_id=subject, role_type_id=LABWARE)
        study = self.subject(uuid.uuid5(uuid.NAMESPACE_OID, "the study").bytes, "the study")
        self.events.add("roles", event_id=event, subject_id=study, role_type_id=OTHER)
        return event


SAMPLE_KEYS = ("id_sample_tmp", "uuid_sample_lims")


def small_run(warehouse: Warehouse, run: int = RUN, samples: int = 3) -> None:
    """A run with one product for each of some samples."""
    study = warehouse.study()
    for _ in range(samples):
        warehouse.product(run, warehouse.sample(), study)
