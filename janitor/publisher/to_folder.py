"""To a folder: each group is one Avro object container file, which is whole or not there.

    write       .name.avro.<pid>.tmp, and wait until it is on disk
    rename      to name.avro: a reader of the folder sees whole files only
    sync        the folder, so that the name survives a power cut too

The name is made of the group's content, so a group that is published again is the same file.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from janitor.errors import Rejected
from janitor.publisher.avro import Schema, digest
from janitor.publisher.contract import Records
from janitor.runs import current_run


class FolderPublisher:
    """Publishes into a folder, which is made if it is missing; made by `open_publisher`."""

    def __init__(self, folder: Path, schema: Schema, message_type: str, headers: Mapping[str, str]) -> None:
        """Nothing is written before the first group."""
        self._folder, self._schema, self._type, self._headers = folder, schema, message_type, headers

    def publish(self, records: Records, identity: bytes = b"", upcoming: Records = ()) -> None:
        """As `Publisher.publish`: the group is on disk when this returns. `upcoming` is not used.

        Groups of equal content are one file, unless their `identity` differs.

        Raises:
            BadMessage: a record does not fit the schema; nothing was written.
            Rejected: the folder cannot be written, or the disk is full.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        if not records:
            return
        current_run().check()
        content = b"".join(self._schema.encode(record) for record in records)
        path = self._folder / f"{self._type}-{digest(identity + content).hex()}.avro"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                self._write(path, records, digest(content).hex())
            _sync_folder(self._folder)
        except OSError as exc:
            raise _unwritable(self._folder, exc) from exc

    def _write(self, path: Path, records: Records, message_id: str) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                self._schema.write_container(file, records, self._metadata(message_id))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _metadata(self, message_id: str) -> dict[str, str]:
        return {
            **self._headers,
            "message_id": message_id,
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "type": self._type,
            "app_id": "janitor",
            "correlation_id": str(current_run().id),
        }


def check_folder(folder: Path) -> str:
    """Make sure that files can be written into `folder`; make it if it is missing. Return what was found.

    Raises:
        Rejected: files cannot be written there.
    """
    probe = folder / f".probe.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as exc:
        raise _unwritable(folder, exc) from exc
    return "exists, can be written"


def _unwritable(folder: Path, exc: OSError) -> Rejected:
    fix = "make room there, let Janitor's user write there, or set MESSAGES_DIR to another folder"
    return Rejected(f"cannot write a message file in {str(folder)!r} ({exc.strerror or exc}): {fix}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
