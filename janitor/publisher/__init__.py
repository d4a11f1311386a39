"""Publish records as Avro messages, each confirmed: to an exchange, or to files in a folder."""

from janitor.publisher.avro import BadMessage, Schema, digest
from janitor.publisher.envelope import Envelope, Publisher
from janitor.publisher.opening import open_publisher

__all__ = [
    "BadMessage",
    "Envelope",
    "Publisher",
    "Schema",
    "digest",
    "open_publisher",
]
