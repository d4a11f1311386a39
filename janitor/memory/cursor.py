"""A cursor: how far a task has read its feed, as a text that the feed understands."""

import logging

from janitor.memory.access import now, reading, writing
from janitor.runs import current_run
from janitor.state import cursors

log = logging.getLogger(__name__)


def cursor(name: str) -> str | None:
    """The position saved under `name`; None if no position was saved.

    If a backup has brought the position back, the run's log says so.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    with reading() as connection:
        found = cursors.saved(connection, name)
    if found is not None and found.lost_until is not None:
        log.warning(
            "the cursor %s is that of a backup: it was saved at %s. What was done from then until %s is done again; a "
            "message that is published again has the same id",
            name,
            f"{found.saved_at:%Y-%m-%d %H:%M:%S UTC}",
            f"{found.lost_until:%Y-%m-%d %H:%M:%S UTC}",
        )
    return None if found is None else found.position


def save_cursor(name: str, position: str) -> None:
    """Save a position; it is committed when this returns, and saving it twice is harmless.

    Raises:
        Fenced: another process has taken this job over; nothing is written.
        Unavailable, Rejected: the state database is away or says no.
    """
    with writing(name) as connection:
        if connection is not None:
            cursors.save(connection, name, position, now(), current_run().id)
