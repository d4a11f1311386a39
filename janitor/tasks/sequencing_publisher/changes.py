"""From run statuses to messages: what each status change comes to, and which samples can have no message."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from janitor.memory import Quarantined
from janitor.publisher import BadMessage, Schema, digest
from janitor.tasks.sequencing_publisher import parts
from janitor.tasks.sequencing_publisher.parts import Labware, Part

SCHEMA = "message_schemas/sample_sequence_status.avsc"


@dataclass(frozen=True)
class Change:
    """A message to be: its record, and the digest by which the ledger knows it."""

    record: Mapping[str, object]
    digest: bytes


@dataclass(frozen=True)
class StatusChanges:
    """What a status of a run comes to."""

    id_run_status: int
    changes: Sequence[Change]
    rejected: Sequence[Quarantined] = ()
    without_manifest: int = 0


def undated(id_run_status: int) -> str:
    """The quarantine's key of a status without a valid date; other keys are samples."""
    return f"status {id_run_status}"


class Deriver:
    """Makes the messages of statuses; the zone is that of the dates in iseq_run_status."""

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        """Nothing is read here: the parts are given."""
        self._schema, self._zone = schema, zone

    def of_status(
        self, status: Row[Any], run_parts: Iterable[Part], only: frozenset[str] | None = None
    ) -> StatusChanges:
        """All changes of a status; with `only`, the changes of the samples with these uuids."""
        if not isinstance(status.date, datetime):
            key = undated(status.id_run_status)
            reason = f"{key} of run {status.id_run}: its date {status.date!r} is no date"
            return StatusChanges(status.id_run_status, [], [Quarantined(key, reason, str(status.id_run_status))])
        changes: list[Change] = []
        rejected: dict[str, Quarantined] = {}
        without_manifest: set[str] = set()
        for part in run_parts:
            if only is not None and part.sample_uuid not in only:
                continue
            if not part.labwares and parts.as_bytes(part.sample_uuid):
                without_manifest.add(part.sample_uuid)
            for outcome in self._of_part(status, part):
                if isinstance(outcome, Change):
                    changes.append(outcome)
                else:
                    rejected[outcome.key] = outcome
        return StatusChanges(status.id_run_status, changes, list(rejected.values()), len(without_manifest))

    def _of_part(self, status: Row[Any], part: Part) -> Iterator[Change | Quarantined]:
        if not parts.as_bytes(part.sample_uuid):
            yield self._rejected(status, part, "its uuid_sample_lims is not a uuid")
            return
        for labware in part.labwares:
            record = self._record(status, part, labware)
            try:
                content = self._schema.encode(record)
            except BadMessage as exc:
                yield self._rejected(status, part, str(exc))
            else:
                yield Change(record, _digest(status, part, labware, content))

    def _record(self, status: Row[Any], part: Part, labware: Labware) -> dict[str, object]:
        return {
            "change_date": status.date.replace(tzinfo=self._zone).astimezone(timezone.utc),
            "id_run": status.id_run,
            "sequencing_study": part.study_name,
            "sample_supplier_id": part.supplier_name,
            "labware_barcode": labware.barcode,
            "run_status": status.id_run_status_dict,
            "irods_root_collection": part.root_collection,
            "irods_data_relative_path": part.data_paths,
            "irods_secondary_data_relative_path": part.secondary_data_paths,
        }

    @staticmethod
    def _rejected(status: Row[Any], part: Part, problem: str) -> Quarantined:
        return Quarantined(part.sample_uuid, f"sample {part.sample_uuid}: {problem}", str(status.id_run_status))


def _digest(status: Row[Any], part: Part, labware: Labware, content: bytes) -> bytes:
    # Two samples may have the same supplier name, so the content alone does not tell their messages apart. No *_tmp id
    # is in the digest: such an id changes while the sample stays the same.
    identity = f"{status.id_run_status}|{part.sample_uuid}|{part.study_lims}|{part.study_id}|{labware.uuid.hex()}|"
    return digest(identity.encode() + content)
