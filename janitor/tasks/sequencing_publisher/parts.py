"""The parts of a run's messages that are the same for each status: samples, studies, labwares, places in iRODS."""

import functools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import URL, Row

from janitor import databases
from janitor.databases import statement

PACKAGE = "janitor.tasks.sequencing_publisher"
CHUNK = 1_000
"""How many uuids or event ids a statement asks for."""


@dataclass(frozen=True)
class Labware:
    """A labware of a manifest update."""

    uuid: bytes
    barcode: str


@dataclass(frozen=True)
class Part:
    """A sample of a study in a run, with its products under an iRODS root collection (None: not in iRODS yet)."""

    sample_uuid: str
    supplier_name: str | None
    study_lims: str
    study_id: str
    study_name: str | None
    root_collection: str | None
    data_paths: str | None
    secondary_data_paths: str | None
    labwares: Sequence[Labware]


def of_runs(mlwh: URL, events: URL, id_runs: Iterable[int]) -> dict[int, list[Part]]:
    """The parts of each run, in a fixed order; a run without complete products has none."""
    with databases.read(mlwh) as connection:
        query = statement(PACKAGE, "select_products.sql", "id_runs")
        products = connection.execute(query, {"id_runs": sorted(set(id_runs))}).all()
    labwares = labwares_of(events, {row.uuid_sample_lims for row in products})
    parts: dict[int, list[Part]] = {}
    # Equal identities come in a fixed order too: otherwise the same change could look like another each time.
    in_order = sorted(products, key=lambda row: (_identity(row), row.study_name or "", row.supplier_name or ""))
    for identity, rows in groupby(in_order, key=_identity):
        made = _part(list(rows), labwares)
        parts.setdefault(identity[0], []).append(made)
    return parts


def labwares_of(events: URL, sample_uuids: Iterable[str]) -> dict[str, list[Labware]]:
    """The labwares in the latest manifest update of each sample; a sample without an update is left out."""
    texts = {as_bytes(text): text for text in sample_uuids}
    texts.pop(b"", None)
    event_of: dict[str, int] = {}
    for chunk in _chunks(sorted(texts)):
        for row in _select(events, "select_manifests.sql", "sample_uuids", chunk):
            event_of[texts[bytes(row.sample_uuid)]] = row.event_id
    labwares: dict[int, list[Labware]] = {}
    for event_ids in _chunks(sorted(set(event_of.values()))):
        for row in _select(events, "select_labwares.sql", "event_ids", event_ids):
            labwares.setdefault(row.event_id, []).append(Labware(bytes(row.labware_uuid), row.labware_barcode))
    return {text: labwares.get(event_id, []) for text, event_id in event_of.items()}


@functools.lru_cache(maxsize=10_000)
def as_bytes(text: str) -> bytes:
    """The 16 bytes of a uuid, as MLWH Events keeps it; empty if the text is no uuid."""
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return b""


def _identity(row: Row[Any]) -> tuple[Any, ...]:
    root = row.irods_root_collection
    return row.id_run, row.uuid_sample_lims, row.study_lims, row.id_study_lims, root is not None, root or ""


def _part(rows: Sequence[Row[Any]], labwares: dict[str, list[Labware]]) -> Part:
    first = rows[0]
    return Part(
        first.uuid_sample_lims,
        first.supplier_name,
        first.study_lims,
        first.id_study_lims,
        first.study_name,
        first.irods_root_collection,
        _joined(row.irods_data_relative_path for row in rows),
        _joined(row.irods_secondary_data_relative_path for row in rows),
        labwares.get(first.uuid_sample_lims, ()),
    )


def _joined(paths: Iterable[str | None]) -> str | None:
    return ";".join(sorted(path for path in paths if path is not None)) or None


def _select(url: URL, name: str, parameter: str, values: Sequence[Any]) -> Sequence[Row[Any]]:
    with databases.read(url) as connection:
        return connection.execute(statement(PACKAGE, name, parameter), {parameter: values}).all()


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
