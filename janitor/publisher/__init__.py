"""Publish records as Avro messages, each confirmed; there is a file for each destination: `to_rabbitmq`, `to_folder`.

A destination to come is a file `to_<destination>.py` beside them, with a line in `opening.py`.
"""

from janitor.publisher.avro import BadMessage, Schema, digest
from janitor.publisher.contract import Publisher, Refused, Settled
from janitor.publisher.envelope import Envelope
from janitor.publisher.opening import open_publisher

__all__ = [
    "BadMessage",
    "Envelope",
    "Publisher",
    "Refused",
    "Schema",
    "Settled",
    "digest",
    "open_publisher",
]
