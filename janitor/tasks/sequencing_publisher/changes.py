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


KEY_DIGEST_BYTES = 12


@dataclass(frozen=True)
class Change:
    """A message to be: its record, the key by which the ledger knows it, and the digest of what it says.

    If it cannot be published, it waits in quarantine as `sample_uuid` and `item`.
    """

    record: Mapping[str, object]
    key: bytes
    digest: bytes
    sample_uuid: str
    item: str


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
                key, whole = _key_and_digest(status, part, labware, content)
                yield Change(record, key, whole, part.sample_uuid, str(status.id_run_status))

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


def _key_and_digest(status: Row[Any], part: Part, labware: Labware, content: bytes) -> tuple[bytes, bytes]:
    """The key of a change (status, sample, study, labware, iRODS root), and the digest of all that is in it.

    The key begins with the status's id, so that the ledger's entries of a day lie together. No *_tmp id is in it: such
    an id changes while the sample stays the same.
    """
    identity = f"{status.id_run_status}|{part.sample_uuid}|{part.study_lims}|{part.study_id}|{labware.uuid.hex()}|"
    root = "" if part.root_collection is None else f"in {part.root_collection}"
    # Any 64-bit id, signed or not, in the order of ids.
    status_key = (status.id_run_status + 2**63).to_bytes(9)
    return status_key + digest((identity + root).encode())[:KEY_DIGEST_BYTES], digest(identity.encode() + content)
