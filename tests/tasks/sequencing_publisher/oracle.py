"""What must be published, by flagship.md: read everything, combine in plain Python."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from tests.fixtures import Warehouses
from tests.tasks.rows import Tables, moment

Identity = tuple[Any, ...]
Record = tuple[Any, ...]
FIELDS = (
    "change_date",
    "id_run",
    "sequencing_study",
    "sample_supplier_id",
    "labware_barcode",
    "run_status",
    "irods_root_collection",
    "irods_data_relative_path",
    "irods_secondary_data_relative_path",
)


@dataclass
class Derived:
    """The messages, by what makes each one, and (sample's uuid, status's id) of what does not fit the schema."""

    messages: dict[Identity, Record] = field(default_factory=dict)
    misfits: set[tuple[str, int]] = field(default_factory=set)


def derived(warehouses: Warehouses, zone: tzinfo = UTC, statuses: Iterable[int] | None = None) -> Derived:
    """All messages of these statuses (None: of all), as their parts are now."""
    mlwh = Tables(warehouses.mlwh)
    samples = keyed(mlwh, "id_sample_tmp", "sample", "uuid_sample_lims", "supplier_name")
    studies = keyed(mlwh, "id_study_tmp", "study", "id_study_lims", "name")
    flowcells = keyed(mlwh, "id_iseq_flowcell_tmp", "iseq_flowcell", "id_sample_tmp", "id_study_tmp")
    products = mlwh.all("iseq_product_metrics", "id_iseq_product", "id_iseq_flowcell_tmp", "id_run")
    places = defaultdict(list)
    for row in mlwh.all("seq_product_irods_locations", "id_product", *FIELDS[6:]):
        places[row["id_product"]].append(row)
    held = labwares(warehouses)
    wanted = None if statuses is None else set(statuses)
    made = Derived()
    for status in mlwh.all("iseq_run_status", "id_run_status", "id_run", "date", "id_run_status_dict"):
        if wanted is not None and status["id_run_status"] not in wanted:
            continue
        groups: dict[tuple[int, int, str | None], list[dict[str, Any]]] = defaultdict(list)
        for product in products:
            flowcell = flowcells.get(product["id_iseq_flowcell_tmp"])
            if product["id_run"] != status["id_run"] or flowcell is None:
                continue
            sample, study = flowcell["id_sample_tmp"], flowcell["id_study_tmp"]
            if sample in samples and study in studies:
                for place in places[product["id_iseq_product"]] or [dict.fromkeys(FIELDS[6:])]:
                    groups[sample, study, place["irods_root_collection"]].append(place)
        for (sample_id, study_id, root), found in groups.items():
            sample, study = samples[sample_id], studies[study_id]
            for subject, barcode in held.get(as_uuid(sample["uuid_sample_lims"]), []):
                sample_uuid, number = sample["uuid_sample_lims"], status["id_run_status"]
                if sample["supplier_name"] is None or study["name"] is None:
                    made.misfits.add((sample_uuid, number))
                    continue
                naive = moment(status["date"])
                assert naive is not None
                made.messages[number, sample_uuid, study["id_study_lims"], subject, root] = (
                    naive.replace(tzinfo=zone).astimezone(UTC),
                    status["id_run"],
                    study["name"],
                    sample["supplier_name"],
                    barcode,
                    status["id_run_status_dict"],
                    root,
                    joined(place["irods_data_relative_path"] for place in found),
                    joined(place["irods_secondary_data_relative_path"] for place in found),
                )
    return made


def labwares(warehouses: Warehouses) -> dict[uuid.UUID | None, list[tuple[bytes, str]]]:
    """By sample: the labwares (uuid, barcode) of its latest manifest update."""
    events = Tables(warehouses.events)
    types = {row["id"]: row["key"] for row in events.all("event_types", "id", "key")}
    roles = {row["id"]: row["key"] for row in events.all("role_types", "id", "key")}
    subjects = {row["id"]: row for row in events.all("subjects", "id", "uuid", "friendly_name")}
    updates = [
        row["id"]
        for row in events.all("events", "id", "event_type_id")
        if types[row["event_type_id"]] == "sample_manifest.updated"
    ]
    of_event: dict[int, set[tuple[bytes, str]]] = {id: set() for id in updates}
    latest: dict[int, int] = {}
    links = [
        row for row in events.all("roles", "event_id", "subject_id", "role_type_id") if row["event_id"] in of_event
    ]
    for link in links:
        if roles[link["role_type_id"]] == "labware":
            subject = subjects[link["subject_id"]]
            of_event[link["event_id"]].add((bytes(subject["uuid"]), subject["friendly_name"]))
        if roles[link["role_type_id"]] == "sample":
            latest[link["subject_id"]] = max(link["event_id"], latest.get(link["subject_id"], 0))
    return {uuid.UUID(bytes=bytes(subjects[id]["uuid"])): sorted(of_event[event]) for id, event in latest.items()}


def keyed(tables: Tables, key: str, name: str, *columns: str) -> dict[int, dict[str, Any]]:
    """A table's rows by their key."""
    return {row[key]: row for row in tables.all(name, key, *columns)}


def as_uuid(text: str) -> uuid.UUID | None:
    """The uuid that a text is."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def joined(paths: Iterable[str | None]) -> str | None:
    """The paths, sorted, with semicolons between; None if there is no path."""
    return ";".join(sorted(path for path in paths if path is not None)) or None


def as_record(message: dict[str, Any]) -> Record:
    """A decoded message in the oracle's form."""
    assert tuple(message) == FIELDS
    date: datetime = message["change_date"]
    return (date.astimezone(UTC), *(message[name] for name in FIELDS[1:]))


def all_of(warehouses: Warehouses) -> Counter[tuple[object, ...]]:
    """The messages of every status there is."""
    return Counter(derived(warehouses).messages.values())
