"""Opening a publisher: to an exchange, or to files in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from janitor.publisher.avro import Schema
from janitor.publisher.envelope import Envelope, Publisher
from janitor.publisher.exchange import RabbitPublisher
from janitor.publisher.folder import MessageFiles
from janitor.settings.settings import Settings


@contextmanager
def open_publisher(
    settings: Settings,
    schema: Schema,
    *,
    exchange: str,
    subject: str,
    message_type: str,
    encoding: Literal["binary", "json"],
    unroutable: Literal["fail", "drop"],
    if_unroutable: str = "bind one",
) -> Iterator[Publisher]:
    """A publisher into the folder MESSAGES_DIR where that is set, else to `exchange`; closed when the block ends.

    It connects for the first group, so that a tick without news makes no connection.
    `if_unroutable` says what a person can do about a message that reaches no queue; it is part of the error.
    """
    envelope = Envelope(exchange, subject, message_type, encoding)
    if settings.messages_dir is not None:
        yield MessageFiles(settings.messages_dir, schema, message_type, envelope.headers(schema))
        return
    publisher = RabbitPublisher(settings, schema, envelope, drop=unroutable == "drop", advice=if_unroutable)
    try:
        yield publisher
    finally:
        publisher.close()
