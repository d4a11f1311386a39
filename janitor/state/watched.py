"""Watched: which runs the notices have looked at, kept as a cursor.

    runs    1  2  3  4  5  6  7  8        looked at while 3 and 5 still ran: upto = 6, open = {3, 5}
                  ^     ^
Later runs whose end was looked at, such as 8, are in `ended`.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from janitor.state import cursors

log = logging.getLogger(__name__)

WATCHED = ":notices"
"""The name of the cursor; no job can have it."""


@dataclass(frozen=True)
class Watched:
    """Looked at: the ends of all runs up to `upto`, except those in `open`; and of later runs, those in `ended`."""

    upto: int = 0
    open: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()

    def has_seen(self, run_id: int) -> bool:
        """Whether the end of a run was looked at."""
        return run_id in self.ended if run_id > self.upto else run_id not in self.open


def load(connection: Connection) -> Watched | None:
    """How far the history was looked at; None before the first look."""
    saved = cursors.load(connection, WATCHED)
    if saved is None:
        return None
    try:
        values = json.loads(saved)
        return Watched(int(values["upto"]), frozenset(values["open"]), frozenset(values["ended"]))
    except (ValueError, TypeError, LookupError):
        log.error("how far notices have looked cannot be read: they begin anew with what ends from now on")
        return None


def save(connection: Connection, to: Watched, now: datetime) -> None:
    """Replace what `load` gives, in the caller's fenced transaction."""
    text = json.dumps({"upto": to.upto, "open": sorted(to.open), "ended": sorted(to.ended)})
    cursors.save(connection, WATCHED, text, now, 0)
