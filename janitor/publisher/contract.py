"""What every destination promises: a file `to_<destination>.py` holds a class that keeps this."""

from collections.abc import Mapping, Sequence
from typing import Protocol

Records = Sequence[Mapping[str, object]]
"""A group of records: it is published as a whole, or counts as not published."""


class Publisher(Protocol):
    """A destination to which groups of records are published."""

    def publish(self, records: Records, identity: bytes = b"", upcoming: Records = ()) -> None:
        """Publish a group; return when all of it is safe, raise if any of it may not be.

        Publishing a group again is harmless: each message has the same id as before. `identity` tells a group from
        another group of equal content; it is the same when the group is published again. `upcoming` is the group that
        the next call will bring: it may be encoded already, and is not sent.

        Raises:
            BadMessage: a record does not fit the schema; no record was published.
            Unavailable, Rejected: the group counts as not published.
            DeadlineExceeded, Cancelled: as the run's `check` does; the group counts as not published.
        """
