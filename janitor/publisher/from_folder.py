"""From a folder: the rows of each message file in it, the oldest file first, then of each file that arrives."""

import time
from collections.abc import Iterator
from pathlib import Path

from janitor.errors import Rejected
from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.heard import Heard, as_json
from janitor.runs import current_run

LOOK_SECONDS = 0.2
"""How often a folder is looked at for new files."""


def rows_of_folder(folder: Path, schema: Schema, idle_seconds: float | None) -> Iterator[Heard]:
    """Yield each row that is there or arrives, until nothing came for `idle_seconds`.

    Raises:
        Rejected: the folder cannot be read.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    seen: set[str] = set()
    quiet_since = time.monotonic()
    while idle_seconds is None or time.monotonic() - quiet_since < idle_seconds:
        for path in _arrivals(folder, seen):
            yield from _rows_of_file(schema, path)
            quiet_since = time.monotonic()
        current_run().sleep(LOOK_SECONDS)


def _arrivals(folder: Path, seen: set[str]) -> list[Path]:
    """The files that came since the last look, in the order of their arrival; their names are put into `seen`."""
    try:
        found = [entry for entry in folder.glob("*.avro") if entry.name not in seen and not entry.name.startswith(".")]
        new = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
    except OSError as exc:
        raise Rejected(f"cannot read the message files in {str(folder)!r} ({exc.strerror or exc})") from exc
    seen.update(path.name for path in new)
    return new


def _rows_of_file(schema: Schema, path: Path) -> Iterator[Heard]:
    try:
        with path.open("rb") as file:
            metadata, rows = schema.read_container(file)
    except (BadMessage, OSError) as exc:
        yield {"problem": f"{path.name}: {exc}", "file": path.name}
        return
    about = {name: metadata.get(name) for name in ("message_id", "timestamp", "type", "correlation_id")}
    headers = {name: metadata.get(name) for name in ("subject", "version", "encoder_type", "fingerprint")}
    for row in rows:
        yield {"row": as_json(row), **about, "headers": headers, "file": path.name}
