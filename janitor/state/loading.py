"""Whether a dump is being loaded into a state database on a server: then nobody knows yet what will be in it.

    identity    loaded, of the night        a daemon sees: it went back
    jobs        loaded
    leases      being loaded                what the daemon puts right here ...
    runs        still as before             ... the load undoes, table by table

A dump makes each table anew, and holds a lock on it while it fills it. So the load is over once no table is new, and
each can be read.
"""

from sqlalchemy import Connection, bindparam, select, text

from janitor.errors import Unavailable
from janitor.state.tables import metadata

SETTLED_SECONDS = 10
"""So long ago the newest table must have been made."""

_SINCE_NEWEST = text(
    "SELECT TIMESTAMPDIFF(SECOND, MAX(create_time), NOW()) FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name IN :names"
).bindparams(bindparam("names", [table.name for table in metadata.sorted_tables], expanding=True))


def require_loaded(connection: Connection) -> None:
    """Make sure that no dump is being loaded into the state database; a SQLite file comes as a whole.

    Raises:
        Unavailable: one is.
        StatementTimeout, Rejected: a table cannot be read: it is locked, or not there yet.
    """
    if connection.dialect.name == "sqlite":
        return
    seconds = connection.execute(_SINCE_NEWEST).scalar()
    if seconds is None or seconds < SETTLED_SECONDS:
        raise Unavailable(
            "a backup of the state database is being loaded: this daemon waits until no table has been made for "
            f"{SETTLED_SECONDS} s"
        )
    for table in metadata.sorted_tables:
        connection.execute(select(*table.primary_key).limit(1))
