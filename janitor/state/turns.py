"""Turns: how many may do a thing in a stretch of time, across all jobs and processes.

A row holds one moment: the turns that were given so far use up the time until then. Whoever comes gets the first moment
that keeps to the rate, and moves the row's on. It is the leaky bucket as a meter (GCRA, of the ATM Forum).
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from janitor.state.item_tables import turns

_ADDITION = (
    insert(turns)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)


def next_turn(
    connection: Connection, name: str, most: int, stretch: timedelta, now: datetime, latest: datetime
) -> datetime | None:
    """Take the next turn; when it is, None if none comes before `latest`: then nothing is taken.

    At most `most` turns lie in each `stretch`; so many may come at once if nobody came for that long.
    """
    own, each = select(turns.c.used_until).where(turns.c.name == name), stretch / most
    used: datetime | None = connection.execute(own.with_for_update()).scalar_one_or_none()
    if used is None:
        connection.execute(_ADDITION, {"name": name, "used_until": now})
        used = connection.execute(own.with_for_update()).scalar_one()
    until = now if used is None else max(used, now)
    at = max(now, until - stretch + each)
    if at > latest:
        return None
    connection.execute(update(turns).where(turns.c.name == name).values(used_until=until + each))
    return at
