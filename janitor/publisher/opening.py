"""Opening a publisher: the settings say to which destination."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Literal

from janitor.publisher.avro import Schema
from janitor.publisher.contract import Publisher
from janitor.publisher.envelope import Envelope
from janitor.publisher.to_folder import FolderPublisher
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
    """Open a publisher to the folder MESSAGES_DIR if that is set, else to `exchange`; it is closed when the block ends.

    It connects when the first group comes, so a tick without news makes no connection. If `unroutable` is "fail", a
    message that reaches no queue is an error, and `if_unroutable` is the advice in its text. If it is "drop", such
    messages are counted and logged at the end.

    Raises:
        BadSetting: at the first group, if the settings name no broker.
    """
    envelope = Envelope(exchange, subject, message_type, encoding)
    if settings.messages_dir is not None:
        yield FolderPublisher(settings.messages_dir, schema, message_type, envelope.headers(schema))
        return
    # pika takes a sixth of a second to import, and a start must not wait for it.
    from janitor.publisher.to_rabbitmq import RabbitPublisher

    publisher = RabbitPublisher(settings, schema, envelope, drop=unroutable == "drop", advice=if_unroutable)
    with closing(publisher):
        yield publisher
