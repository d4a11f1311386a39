"""What every destination promises: a file `to_<destination>.py` holds a class that keeps this."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Record = Mapping[str, object]

WINDOW = 100
"""How many records may be under way, if nobody says otherwise."""


@dataclass(frozen=True)
class Refused:
    """A record that was not published: its place among the records, and why, in one sentence.

    `for_itself` means that it is refused again until it is changed: it does not fit its schema, or is too large. Else
    a queue was full or broken, or no queue was bound for it, and it may be published later.
    """

    at: int
    reason: str
    for_itself: bool


@dataclass(frozen=True)
class Settled:
    """What came of some records: the places of those that are safe, and those that were refused."""

    published: Sequence[int] = ()
    refused: Sequence[Refused] = field(default_factory=tuple)


class Publisher(Protocol):
    """A destination to which records are published."""

    def publish_each(
        self, records: Iterable[Record], *, window: int = WINDOW, identities: Sequence[bytes] = ()
    ) -> Generator[Settled, None, None]:
        """Publish records, and yield what came of them, some at a time, in any order.

        Whoever takes a `Settled` remembers it before taking the next. At most `window` records are under way: sent and
        not settled, or settled and not remembered. So no crash repeats more than that. A record that is refused holds
        up no other record. `identities` tell records of equal content apart, one for each record; an identity is the
        same when its record is published again after a crash.

        Raises:
            Unavailable, Rejected: the destination takes no more; what was settled until then has been yielded.
            DeadlineExceeded, Cancelled: as the run's `check` does; what was settled until then has been yielded.
        """

    def publish(self, records: Sequence[Record], identity: bytes = b"") -> None:
        """Publish a group of records; return when all are safe, raise if any of them may not be.

        To publish a group again is harmless: each message has the same id as before. `identity` tells a group from
        another group of equal content; it is the same when the group is published again.

        Raises:
            BadMessage: a record does not fit the schema; no record was published.
            Unavailable, Rejected: the group counts as not published.
            DeadlineExceeded, Cancelled: as the run's `check` does; the group counts as not published.
        """
