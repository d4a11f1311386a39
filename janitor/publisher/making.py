"""Messages made from records, each when it is asked for: so records are encoded while others are in flight.

binary    one message for each record
json      one message for up to a window of records, as lines; records of one message have one route
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.contract import Record, Refused
from janitor.publisher.envelope import Envelope, Route
from janitor.publisher.message import Message, message_id


class Placed(NamedTuple):
    """A record and its place among the records."""

    at: int
    record: Record


class Messages:
    """The messages of some records; `window` is how many records one message may hold."""

    def __init__(self, schema: Schema, envelope: Envelope, records: Iterable[Record], window: int) -> None:
        """Nothing is encoded yet."""
        self._schema, self._envelope, self._records, self._window = schema, envelope, records, window

    def messages(self) -> Iterator[Message | Refused]:
        """The messages in the order of their records, and each record that cannot be sent."""
        if self._envelope.encoding == "json":
            for group in groups(self._schema, self._envelope, self._records, self._window):
                yield group if isinstance(group, Refused) else self._lines(*group)
            return
        route, encode = self._envelope.route, self._schema.encode
        for at, record in enumerate(self._records):
            try:
                body = encode(record)
                yield Message(message_id(body), body, *(route or self._envelope.route_of(record)), (at,))
            except BadMessage as exc:
                yield Refused(at, str(exc), for_itself=True)

    def halves(self, message: Message) -> list[Message]:
        """The records of a message as two messages; none if it has a single record."""
        placed = [Placed(*each) for each in zip(message.places, message.records, strict=False)]
        middle, route = len(placed) // 2, Route(message.routing_key, message.headers)
        return [self._lines(route, half) for half in (placed[:middle], placed[middle:])] if middle else []

    def _lines(self, route: Route, placed: list[Placed]) -> Message:
        records = tuple(each.record for each in placed)
        body = self._schema.encode_lines(records)
        return Message(message_id(body), body, *route, tuple(each.at for each in placed), records)


def groups(
    schema: Schema, envelope: Envelope, records: Iterable[Record], window: int
) -> Iterator[tuple[Route, list[Placed]] | Refused]:
    """Records that follow one another on one route, up to `window` at once; and each record that cannot be sent."""
    group: list[Placed] = []
    route = Route()
    for at, record in enumerate(records):
        try:
            own = envelope.route_of(record)
            if problem := schema.problem(record):
                raise BadMessage(problem)
        except BadMessage as exc:
            yield Refused(at, str(exc), for_itself=True)
            continue
        if group and (own != route or len(group) >= window):
            yield route, group
            group = []
        route = own
        group.append(Placed(at, record))
    if group:
        yield route, group
