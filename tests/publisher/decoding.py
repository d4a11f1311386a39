"""Messages of an exchange, decoded."""

from typing import Any

from tests.fixtures import Exchange
from tests.messages import SCHEMA


def decoded(exchange: Exchange) -> list[dict[str, Any]]:
    """The records of all messages that reached the exchange's queue, in their order."""
    return [SCHEMA.decode(message.body) for message in exchange.received()]
