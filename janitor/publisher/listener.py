"""Messages read back, decoded, as they arrive: from an exchange, or from a folder of files."""

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from pika.exceptions import ChannelClosed

from janitor.errors import Rejected
from janitor.publisher.avro import BadMessage, Schema
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.queue import Queue
from janitor.runs import current_run
from janitor.settings.settings import Settings

LOOK_SECONDS = 0.2
"""How often a folder is looked at for new files."""


def listen(
    settings: Settings, schema: Schema, exchange: str, *, limit: int | None = None, idle_seconds: float | None = None
) -> Iterator[dict[str, Any]]:
    """Yield each row that is published from now on: `row`, and its message's `message_id`, `timestamp` and `headers`.

    All values can be written as JSON; instants are ISO 8601 in UTC. A message that cannot be decoded is one item with
    `problem` instead of `row`. It reads a queue of its own, so that it takes no message from anyone else. With
    MESSAGES_DIR it yields what the folder holds already, the oldest first, then what arrives there.

    It ends after `limit` items, or once nothing came for `idle_seconds`; without them when its caller closes it.

    Raises:
        BadSetting, Unavailable, Rejected: the broker cannot be reached, or the exchange does not exist.
    """
    if settings.messages_dir is not None:
        messages = _from_folder(settings.messages_dir, schema, idle_seconds)
    else:
        messages = _from_exchange(settings, schema, exchange, idle_seconds)
    yield from islice(messages, limit)


def _from_exchange(
    settings: Settings, schema: Schema, exchange: str, idle_seconds: float | None
) -> Iterator[dict[str, Any]]:
    with connected(settings) as broker:
        try:
            queue = Queue(broker, exchange)
            while (message := queue.next(idle_seconds)) is not None:
                method, properties, body = message
                yield from _items(schema, properties, body)
                queue.done(method)
        except ChannelClosed as exc:
            raise refused(exc, broker.peer, exchange) from exc


def _items(schema: Schema, properties: Any, body: bytes) -> Iterator[dict[str, Any]]:
    """What a message holds, one item a row."""
    sent = properties.timestamp
    about = {
        "message_id": properties.message_id,
        "timestamp": None if sent is None else datetime.fromtimestamp(sent, timezone.utc).isoformat(),
        "type": properties.type,
        "correlation_id": properties.correlation_id,
        "headers": _plain(properties.headers or {}),
    }
    lines = str(properties.content_type).endswith("json") or about["headers"].get("encoder_type") == "json"
    try:
        rows = schema.decode_lines(body) if lines else [schema.decode(body)]
    except BadMessage as exc:
        yield {"problem": str(exc), **about}
        return
    for row in rows:
        yield {"row": _plain(row), **about}


def _from_folder(folder: Path, schema: Schema, idle_seconds: float | None) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    quiet_since = time.monotonic()
    while idle_seconds is None or time.monotonic() - quiet_since < idle_seconds:
        for path in _arrivals(folder, seen):
            yield from _items_of_file(schema, path)
            quiet_since = time.monotonic()
        current_run().sleep(LOOK_SECONDS)


def _arrivals(folder: Path, seen: set[str]) -> list[Path]:
    """The files that came since the last look, in the order of their arrival; they are `seen` from now on."""
    try:
        found = [entry for entry in folder.glob("*.avro") if entry.name not in seen and not entry.name.startswith(".")]
        new = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
    except OSError as exc:
        raise Rejected(f"cannot read the message files in {str(folder)!r} ({exc.strerror or exc})") from exc
    seen.update(path.name for path in new)
    return new


def _items_of_file(schema: Schema, path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            metadata, rows = schema.read_container(file)
    except (BadMessage, OSError) as exc:
        yield {"problem": f"{path.name}: {exc}", "file": path.name}
        return
    about = {name: metadata.get(name) for name in ("message_id", "timestamp", "type", "correlation_id")}
    headers = {name: metadata.get(name) for name in ("subject", "version", "encoder_type", "fingerprint")}
    for row in rows:
        yield {"row": _plain(row), **about, "headers": headers, "file": path.name}


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it."""
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
    return str(value)
