"""A cursor: how far a task has read its feed, as a text that the feed understands."""

from janitor.memory.access import now, reading, writing
from janitor.runs import current_run
from janitor.state import cursors


def cursor(name: str) -> str | None:
    """The position saved under `name`; None if no position was saved.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    with reading() as connection:
        return cursors.load(connection, name)


def save_cursor(name: str, position: str) -> None:
    """Save a position; it is committed when this returns, and saving it twice is harmless.

    Raises:
        Fenced: another process has taken this job over; nothing is written.
        Unavailable, Rejected: the state database is away or says no.
    """
    with writing(name) as connection:
        if connection is not None:
            cursors.save(connection, name, position, now(), current_run().id)
