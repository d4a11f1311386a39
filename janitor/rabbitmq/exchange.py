"""An exchange: its name and its type."""

from dataclasses import dataclass

DEFAULT = ""
"""The name of the exchange that every broker has: it routes to the queue that the routing key names."""


@dataclass(frozen=True)
class Exchange:
    """A durable exchange; `type` says how it routes: fanout, direct, topic, headers, or a type of a plug-in."""

    name: str
    type: str = "fanout"
