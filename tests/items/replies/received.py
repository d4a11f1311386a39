"""What whoever asked has received."""

from tests.fixtures import Received
from tests.servers import Broker


def received(rabbitmq: Broker, queue: str) -> list[Received]:
    """Take all messages out of a queue, in order."""
    found = []
    with rabbitmq.channel() as channel:
        while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
            method, properties, body = message
            found.append(Received(body, properties, method.routing_key or "", method.redelivered))
    return found
