"""A reply over RabbitMQ: to the queue that a message names, with its correlation id, or to an exchange."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from janitor.errors import Rejected, Skip
from janitor.items.ends import Answer
from janitor.items.replies.told import NOBODY, find_in, told_whole
from janitor.items.templates import filled, found_in, names_in
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

if TYPE_CHECKING:
    from janitor.items.replies.confirmed import Confirmed

LONGEST_NAME = 255
"""Of a queue, a routing key and an id, in bytes of UTF-8."""
MESSAGE_TYPE = "item_ended"


@dataclass(frozen=True)
class RabbitReply:
    """Tells over RabbitMQ what came of an item; a message is persistent, confirmed, and has the reply's id as its own.

    - `name`: its name in its pipeline.
    - `exchange`: the exchange that is published to. Without one, the reply goes to the queue that the message named
      as its `reply_to`; if it named none, nobody is told.
    - `exchange_type`: of that exchange: topic, direct, fanout or headers.
    - `routing_key`: with an exchange; `{key}`, `{pipeline}`, `{status}`, `{kind}` and paths into the item's arguments
      are filled in.
    """

    name: str
    exchange: str = ""
    exchange_type: str = "topic"
    routing_key: str = "{pipeline}.{status}"

    beat_seconds = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: the routing key is no template.
        """
        names_in("routing_key", self.routing_key)

    @property
    def requires(self) -> Sequence[Need]:
        """The broker, and the exchange."""
        what = f"exchange {self.exchange!r}" if self.exchange else "the broker"
        return (ServiceNeed(f"{what} of the reply {self.name}", self.look, ("RABBITMQ_HOST",)),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Make sure that the broker has the exchange.

        Raises:
            BadSetting, Unavailable, Rejected: there is no such connection, or no such exchange.
        """
        # Pika takes a sixth of a second to import.
        from janitor.rabbitmq.exchange import Exchange
        from janitor.rabbitmq.exchanges import inspect_exchange
        from janitor.rabbitmq.peer import Peer

        exchange = Exchange(self.exchange, self.exchange_type)
        found = [(peer, inspect_exchange(settings, exchange, peer)) for peer in Peer.each_of(settings)]
        what = f"exchange {self.exchange!r}" if self.exchange else "the default exchange"
        return [f"{what} at {peer}: {said}" for peer, said in found]

    def open(self, settings: Settings) -> "RabbitSender":
        """Connect.

        Raises:
            BadSetting, Unavailable, Rejected: there is no such connection, or no such exchange.
        """
        from janitor.items.replies.confirmed import Confirmed
        from janitor.rabbitmq.exchange import Exchange

        return RabbitSender(self, Confirmed(settings, Exchange(self.exchange, self.exchange_type)))

    def routing_key_of(self, answer: Answer) -> str | None:
        """Where a reply goes; None if nobody asked.

        Raises:
            Rejected: what the message says is no name of a queue.
        """
        if self.exchange:
            found: Any = filled(self.routing_key, find_in(answer))
        else:
            found = found_in("reply_to", answer.envelope)
        if found is None:
            return None
        if not isinstance(found, str) or not 0 < len(found.encode("utf-8", "replace")) <= LONGEST_NAME:
            raise Rejected(f"reply_to is no name of a queue: it must be a text of up to {LONGEST_NAME} bytes")
        return found


class RabbitSender:
    """A connection by which replies go to RabbitMQ."""

    def __init__(self, reply: RabbitReply, confirmed: "Confirmed") -> None:
        self._reply, self._confirmed = reply, confirmed

    def send(self, answer: Answer) -> None:
        """Send a reply, and return once a queue has it.

        Raises:
            Skip: nobody asked.
            Unavailable: the broker cannot be reached, or does not take it now.
            Rejected: no queue is there for it.
        """
        from pika import BasicProperties, DeliveryMode

        routing_key = self._reply.routing_key_of(answer)
        if routing_key is None:
            raise Skip(NOBODY)
        correlation_id = found_in("correlation_id", answer.envelope)
        properties = BasicProperties(
            content_type="application/json",
            delivery_mode=DeliveryMode.Persistent.value,
            message_id=answer.id,
            correlation_id=None if correlation_id is None else str(correlation_id)[:LONGEST_NAME],
            timestamp=int(time.time()),
            type=MESSAGE_TYPE,
            app_id="janitor",
        )
        self._confirmed.send(routing_key, told_whole(answer), properties)

    def beat(self, answer: Mapping[str, Any]) -> None:
        """Nothing is told before the end."""

    def close(self) -> None:
        """End the connection."""
        self._confirmed.close()
