"""The connection to the state database: opened, migrated, and written to only by whoever holds the lease."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import pymysql
from sqlalchemy import URL, BindParameter, Connection, Engine, bindparam, event, func, inspect, select, text, tuple_
from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.databases.mysql_sessions import is_mariadb
from janitor.databases.places import family, place
from janitor.errors import Fenced, Rejected, Unavailable
from janitor.runs import Fence
from janitor.state.tables import SCHEMA_VERSION, leases

_WANTED: BindParameter[list[tuple[str, int]]] = bindparam("wanted", expanding=True)
_HELD = select(leases.c.name).where(tuple_(leases.c.name, leases.c.token).in_(_WANTED)).with_for_update(read=True)

STATEMENT_SECONDS = 10.0
"""How long one statement on the state database may take."""
IDLE_SECONDS = 10
"""How long a transaction may stand still between two statements before MariaDB ends it, rolled back."""
MYSQL_IDLE_SECONDS = 30
"""The same on MySQL, which knows no such limit but that of a connection's own idleness, in a transaction or not."""


class State:
    """Janitor's memory: one pooled engine; every module of `janitor.state` takes one of its connections."""

    def __init__(self, url: URL, connect_seconds: float = 5.0) -> None:
        """Prepare the engine; nothing is opened before the first use."""
        self.url = url
        self.unreleased: set[Fence] = set()
        """Leases of this process that could not be given back when they were done with."""
        limits = Limits(STATEMENT_SECONDS, connect_seconds)
        self.engine = make_engine(url, read_only=False, limits=limits, create=True)
        self._reader = make_engine(url, read_only=True, limits=limits, create=True)
        if family(url) == "sqlite":
            event.listen(self.engine, "connect", _journal)
        else:
            event.listen(self.engine, "connect", _let_go_of_locks)

    @contextmanager
    def begin(self, *fences: Fence) -> Iterator[Connection]:
        """One transaction, which commits when the block ends; it begins by making sure that every fence still stands.

        Raises:
            Fenced: another holder has one of the leases now; nothing is written.
            Unavailable, Rejected: the state database is away, or says no.
        """
        with self._connect(self.engine) as connection, connection.begin():
            if fences:
                hold(connection, fences)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that only reads, waits for no writer and holds none up; each statement sees what is committed.

        Raises:
            Unavailable, Rejected: as `begin` does.
        """
        with self._connect(self._reader) as connection:
            yield connection

    def _connect(self, engine: Engine) -> Connection:
        try:
            return engine.connect()
        except PoolTimeout as exc:
            raise Unavailable(f"{place(self.url)} has no free connection in this process: {exc.args[0]}") from exc

    def now(self, connection: Connection) -> datetime:
        """The state database's own time, aware UTC: the one clock that several machines share."""
        if family(self.url) == "sqlite":
            return datetime.now(timezone.utc)
        naive: datetime = connection.execute(select(func.utc_timestamp(6))).scalar_one()
        return naive.replace(tzinfo=timezone.utc)

    def version(self) -> str | None:
        """The schema's version; None for a database that holds none yet."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found

    def migrate(self) -> None:
        """Bring the schema to this release's version; nothing happens where it is there already.

        Raises:
            Rejected: the database is of a newer release.
        """
        found = self.version()
        if found == SCHEMA_VERSION:
            return
        if found is not None and found > SCHEMA_VERSION:
            raise Rejected(
                f"the state database at {place(self.url)} has schema {found}, and this release knows schemas up to "
                f"{SCHEMA_VERSION}: start the newer release, or give an older copy of the database"
            )
        # Alembic takes a tenth of a second and several megabytes, which only a first start has to spend.
        from janitor.state.migrations.upgrade import upgrade

        upgrade(self.engine)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        self._reader.dispose()


def _journal(connection: sqlite3.Connection, record: Any) -> None:
    # With FULL a commit is on disk before it returns, so that a pulled plug cannot take back a ledger row.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _let_go_of_locks(connection: "pymysql.Connection[Any]", record: Any) -> None:
    # A process that is frozen inside a transaction would keep its locks, and no stand-by could ever take over.
    ends = (
        f"idle_transaction_timeout = {IDLE_SECONDS}"
        if is_mariadb(connection)
        else f"wait_timeout = {MYSQL_IDLE_SECONDS}"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {ends}")


def hold(connection: Connection, fences: Iterable[Fence]) -> None:
    """Make sure that leases are still held, and stay so until the transaction ends.

    Raises:
        Fenced: another holder has one of them now.
    """
    wanted = [(fence.name, fence.token) for fence in fences]
    if not wanted:
        return
    held = held_names(connection, wanted)
    lost = sorted(fence.name for fence in fences if fence.name not in held)
    if lost:
        raise Fenced(f"another process holds {', '.join(lost)} now; this one writes nothing more")


def held_names(connection: Connection, wanted: Sequence[tuple[str, int]]) -> set[str]:
    """Those of the leases, given as (name, token), that still stand, and do so until the transaction ends."""
    return set(connection.execute(_HELD, {"wanted": wanted}).scalars())
