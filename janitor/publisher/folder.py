"""Messages as files, embedded: each group is one Avro object container file in a folder, whole or not there."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from janitor.errors import Rejected
from janitor.publisher.avro import Schema, digest
from janitor.runs import current_run


class MessageFiles:
    """Publishes into `folder`, which is made where it is missing; made by `open_publisher`."""

    def __init__(self, folder: Path, schema: Schema, message_type: str, headers: Mapping[str, str]) -> None:
        self._folder, self._schema, self._type, self._headers = folder, schema, message_type, headers

    def publish(
        self,
        records: Sequence[Mapping[str, object]],
        identity: bytes = b"",
        following: Sequence[Mapping[str, object]] = (),
    ) -> None:
        """Write one group as a file that is on disk when this returns; the same group again leaves that one file.

        Groups of equal content are one file, unless their `identity` differs. Of `following` nothing is made.

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
            raise unwritable(self._folder, exc) from exc

    def _write(self, path: Path, records: Sequence[Mapping[str, object]], message_id: str) -> None:
        """Write a file beside `path`, then let it take that name: whoever lists the folder sees whole files alone."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                self._schema.write_container(file, records, self._metadata(message_id))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

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
    """Make sure that files can be written into `folder`, making it where it is missing; say so in a few words.

    Raises:
        Rejected: they cannot.
    """
    probe = folder / f".probe.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as exc:
        raise unwritable(folder, exc) from exc
    return "exists, can be written"


def unwritable(folder: Path, exc: OSError) -> Rejected:
    """Why a file in `folder` could not be written, as one sentence."""
    fix = "make room there, let Janitor's user write there, or set MESSAGES_DIR to another folder"
    return Rejected(f"cannot write a message file in {str(folder)!r} ({exc.strerror or exc}): {fix}")


def _sync_folder(folder: Path) -> None:
    """Put the folder's list of names on disk too: after a power cut, a file without its name is lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
