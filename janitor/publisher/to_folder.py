"""To a folder: each group is one Avro object container file, which is whole or not there.

    write       .name.avro.<pid>.tmp, and wait until it is on disk
    rename      to name.avro: a reader of the folder sees whole files only
    sync        the folder, so that the name survives a power cut too

The name is made of the group's content, so a group that is published again is the same file.
"""

import os
from collections.abc import Generator, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from janitor.errors import Rejected
from janitor.publisher.avro import BadMessage, Schema, digest
from janitor.publisher.contract import WINDOW, Record, Refused, Settled
from janitor.publisher.envelope import Envelope, Route
from janitor.publisher.making import groups
from janitor.runs import current_run


class FolderPublisher:
    """Publishes into a folder, which is made if it is missing; made by `open_publisher`."""

    def __init__(self, folder: Path, schema: Schema, envelope: Envelope) -> None:
        """Nothing is written before the first group."""
        self._folder, self._schema, self._envelope = folder, schema, envelope

    def publish_each(
        self, records: Iterable[Record], *, window: int = WINDOW, identities: Sequence[bytes] = ()
    ) -> Generator[Settled, None, None]:
        """As `Publisher.publish_each`: a file has up to `window` records of one route, and is on disk when it is told.

        Raises:
            Rejected: the folder cannot be written, or the disk is full.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        for group in groups(self._schema, self._envelope, records, window):
            if isinstance(group, Refused):
                yield Settled(refused=[group])
                continue
            route, placed = group
            identity = b"".join(identities[each.at] for each in placed) if identities else b""
            self._put([each.record for each in placed], identity, route)
            yield Settled([each.at for each in placed])

    def publish(self, records: Sequence[Record], identity: bytes = b"") -> None:
        """As `Publisher.publish`: the group is on disk when this returns.

        Groups of equal content are one file, unless their `identity` differs.

        Raises:
            BadMessage: a record does not fit the schema; nothing was written.
            Rejected: the folder cannot be written, or the disk is full.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        made = list(groups(self._schema, self._envelope, records, len(records)))
        if refused := [each for each in made if isinstance(each, Refused)]:
            raise BadMessage(refused[0].reason)
        for group in made:
            if not isinstance(group, Refused):
                self._put([each.record for each in group[1]], identity, group[0])

    def _put(self, records: Sequence[Record], identity: bytes, route: Route) -> None:
        current_run().check()
        content = b"".join(self._schema.encode(record) for record in records)
        path = self._folder / f"{self._envelope.message_type}-{digest(identity + content).hex()}.avro"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                self._write(path, records, self._metadata(digest(content).hex(), route))
            _sync_folder(self._folder)
        except OSError as exc:
            raise _unwritable(self._folder, exc) from exc

    def _write(self, path: Path, records: Sequence[Record], metadata: dict[str, str]) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                self._schema.write_container(file, records, metadata)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _metadata(self, message_id: str, route: Route) -> dict[str, str]:
        own = {name: str(value) for name, value in route.headers}
        return {
            **own,
            **({"routing_key": route.routing_key} if route.routing_key else {}),
            **self._envelope.headers(self._schema),
            "message_id": message_id,
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "type": self._envelope.message_type,
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
