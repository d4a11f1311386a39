"""A try: whether the state database takes what is written. A disk may be full, or a server may only be read."""

from datetime import datetime

from sqlalchemy import Connection, insert, update

from janitor.state.tables import leases

NAME = "a try"
"""The name of the lease that nobody ever holds: each try makes its token larger."""


def write(connection: Connection, now: datetime) -> None:
    """Write something that differs from what was there."""
    # Another daemon may try for the first time, too.
    first = insert(leases).prefix_with("OR IGNORE", dialect="sqlite")
    first = first.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")
    changed = update(leases).where(leases.c.name == NAME).values(token=leases.c.token + 1, expires_at=now)
    if connection.execute(changed).rowcount == 0:
        connection.execute(first.values(name=NAME, holder=None, token=1, expires_at=now))
