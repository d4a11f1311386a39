"""Opening a publisher: the settings say to which destination."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Literal

from janitor.publisher.avro import Schema
from janitor.publisher.contract import Publisher, Record
from janitor.publisher.envelope import Envelope, Headers
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
    exchange_type: str = "fanout",
    routing_key: str | Callable[[Record], str] = "",
    headers: Headers | Callable[[Record], Headers] | None = None,
) -> Iterator[Publisher]:
    """Open a publisher to the folder MESSAGES_DIR if that is set, else to `exchange`; it is closed when the block ends.

    It connects when the first record comes, so a tick without news makes no connection. `exchange_type` is fanout,
    direct, topic, headers, or a type of a plug-in. `routing_key` and `headers` are the same for all messages, or a
    function gives those of a record; headers are texts and whole numbers. If `unroutable` is "fail", a message that
    reaches no queue is an error, and `if_unroutable` is the advice in its text. If it is "drop", such messages are
    counted and logged at the end.

    Raises:
        BadSetting: at the first record, if the settings name no broker.
    """
    envelope = Envelope(exchange, subject, message_type, encoding, exchange_type, routing_key, headers or {})
    if settings.messages_dir is not None:
        yield FolderPublisher(settings.messages_dir, schema, envelope)
        return
    # pika takes a sixth of a second to import, and a start must not wait for it.
    from janitor.publisher.to_rabbitmq import RabbitPublisher

    publisher = RabbitPublisher(settings, schema, envelope, drop=unroutable == "drop", advice=if_unroutable)
    with closing(publisher):
        yield publisher
