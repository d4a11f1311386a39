"""Listening: published rows are read back, decoded, as they arrive; the settings say from where."""

from collections.abc import Iterator
from itertools import islice

from janitor.publisher.avro import Schema
from janitor.publisher.from_folder import rows_of_folder
from janitor.publisher.heard import Heard
from janitor.settings.settings import Settings


def listen(
    settings: Settings,
    schema: Schema,
    exchange: str,
    *,
    binding_key: str = "",
    limit: int | None = None,
    idle_seconds: float | None = None,
) -> Iterator[Heard]:
    """Yield each row that is published from now on, with what its message says about itself; see `heard.py`.

    A message that cannot be decoded yields `problem` instead of `row`. With MESSAGES_DIR it first yields the rows that
    the folder holds already. It ends after `limit` rows, or when nothing came for `idle_seconds`. Without both it ends
    when its caller closes it. `binding_key` says what it gets of an exchange that is not fanout: `#` is all of a topic.

    Raises:
        BadSetting, Unavailable, Rejected: the broker cannot be reached, or the exchange does not exist.
    """
    if settings.messages_dir is not None:
        yield from islice(rows_of_folder(settings.messages_dir, schema, idle_seconds), limit)
        return
    from janitor.publisher.from_rabbitmq import rows_of_exchange

    yield from islice(rows_of_exchange(settings, schema, exchange, idle_seconds, binding_key), limit)
