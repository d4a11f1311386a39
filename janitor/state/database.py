"""The state database: connections to it, and its schema."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
from sqlalchemy import URL, Connection, Engine, event, func, inspect, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.databases.logins import Login, as_given
from janitor.databases.mysql_sessions import is_mariadb
from janitor.databases.places import family, place
from janitor.databases.sqlite_forks import undisturbed
from janitor.databases.sqlite_sessions import Inode, make_file, sort_beside
from janitor.errors import Rejected, Unavailable
from janitor.runs import Fence
from janitor.state.fences import hold
from janitor.state.free_pages import prepare_new_file
from janitor.state.kept_connections import KeptConnections
from janitor.state.migrations import Keep
from janitor.state.patience import patient_engine
from janitor.state.same_file import SameFile
from janitor.state.shared_clock import SharedClock
from janitor.state.tables import SCHEMA_VERSION
from janitor.state.write_lock import Turns, WriteLock

if TYPE_CHECKING:
    from janitor.state.migrations.plan import Pending

KEPT_STATEMENTS = 32
"""So many prepared statements each connection to a state file keeps: those of a run, a look and a page together."""
STATEMENT_SECONDS = 10.0
"""One statement on the state database may take so long."""
IDLE_SECONDS = 10
"""MariaDB rolls a transaction back that stands still so long between two statements."""
MYSQL_IDLE_SECONDS = 30
"""MySQL has no such limit. It ends a connection that is idle so long, in a transaction or not."""


def _nothing(connection: Connection) -> None:
    """What is called in each transaction of a migration, if the caller has no say."""


class State:
    """Janitor's memory. The functions of `janitor.state` take a connection from `begin` or `read`."""

    def __init__(
        self,
        url: URL,
        connect_seconds: float = 5.0,
        login: Login = as_given,
        *,
        file: Inode | None = None,
        clock: SharedClock | None = None,
    ) -> None:
        """Nothing is opened before the first use.

        `login` gives the user and the password of a new connection. `file` is the only SQLite file that may be opened,
        any if None. `clock` tells the database's time, and is made for its kind if None.
        """
        self.url = url
        self._connect_seconds, self._login = connect_seconds, login
        self.clock = clock or clock_of(url)
        """Its time of day, which all machines share; each `now` corrects it."""
        self.stopped = ""
        """Why nothing is read and written any more; empty if all goes on."""
        self.unreleased: set[Fence] = set()
        """Leases of this process that are done with, but could not be released."""
        self.noted: set[tuple[str, str]] = set()
        """Which names of which jobs this process has noted, in `memories`."""
        limits = Limits(STATEMENT_SECONDS, connect_seconds)
        kept = KEPT_STATEMENTS
        self.engine = make_engine(url, read_only=False, limits=limits, login=login, kept_statements=kept)
        self._reader = make_engine(url, read_only=True, limits=limits, login=login, kept_statements=kept)
        self._lock = WriteLock(place(url))
        self._writers, self._readers = KeptConnections(), KeptConnections()
        self._turns = Turns() if family(url) == "sqlite" else None
        self._file: SameFile | None = None
        if family(url) == "sqlite" and url.database:
            self._file = SameFile(Path(url.database), file)
        if family(url) == "sqlite":
            # They hold the file alone: SQLAlchemy holds a connection that is in use, and all that its engine holds.
            event.listen(self.engine, "connect", partial(_opened, self._file))
            event.listen(self.engine, "connect", _journal)
            event.listen(self._reader, "connect", partial(_opened, self._file))
        else:
            event.listen(self.engine, "connect", _let_go_of_locks)

    @contextmanager
    def begin(self, *fences: Fence, alone: bool = False, patient: bool = False) -> Iterator[Connection]:
        """One transaction: it makes sure that every fence still stands, and commits when the block ends.

        If `alone`, no other transaction under one of these fences goes on meanwhile.
        If another process has a SQLite file to itself, a run waits up to ten minutes for its turn; so does what is
        `patient`. Anything else waits ten seconds.

        Raises:
            Fenced: another process holds one of the leases now; nothing is written.
            Unavailable, Rejected: the state database is away or says no.
            DeadlineExceeded, Cancelled: as the run's `check` does, while it waits.
        """
        with ExitStack() as transaction:
            connection = self._begun(transaction, self._lock.until(patient))
            if fences:
                hold(connection, fences, alone)
            yield connection
            self.check()

    def _begun(self, transaction: ExitStack, until: float) -> Connection:
        """A connection with a transaction that has begun; both end with the stack."""
        while True:
            with ExitStack() as attempt:
                try:
                    attempt.enter_context(undisturbed(self.url))
                    # First: who waits for a turn needs no connection, and there are not many.
                    if self._turns is not None:
                        attempt.enter_context(self._turns.taken(STATEMENT_SECONDS))
                    self.check()
                    connection = attempt.enter_context(self._writers.taken(partial(self._connect, self.engine)))
                    attempt.enter_context(connection.begin())
                except Unavailable as exc:
                    self._lock.wait(exc, until)
                    continue
                transaction.push(attempt.pop_all())
            self._lock.has_begun()
            return connection

    @contextmanager
    def read(self, even_if_stopped: bool = False) -> Iterator[Connection]:
        """A connection that only reads. It waits for no writer, and no writer waits for it.

        Raises:
            Unavailable, Rejected: as `begin` does.
        """
        if not (self.stopped and even_if_stopped):
            self.check()
        with undisturbed(self.url), self._readers.taken(partial(self._connect, self._reader)) as connection:
            yield connection

    def stop(self, why: str) -> None:
        """Read and write nothing more, for this reason; an empty reason lets all go on."""
        self.stopped = why

    def check(self) -> None:
        """Make sure that this is still the state database that was opened; every transaction does it too.

        Raises:
            Unavailable: its file is gone or was replaced, or `stop` was called.
        """
        if self.stopped:
            raise Unavailable(self.stopped)
        if self._file is not None:
            self._file.check()

    @property
    def file(self) -> Inode | None:
        """The SQLite file that was opened; None before that, and on a server."""
        return None if self._file is None else self._file.known

    @property
    def is_server(self) -> bool:
        """Whether it is on a server, which does several things at once."""
        return self._turns is None

    def _connect(self, engine: Engine) -> Connection:
        try:
            return engine.connect()
        except PoolTimeout as exc:
            raise Unavailable(f"{place(self.url)} has no free connection in this process: {exc.args[0]}") from exc

    def now(self, connection: Connection) -> datetime:
        """The time of the state database, aware UTC: the clock that all machines share."""
        return self.clock.ask(connection)

    def version(self) -> str | None:
        """The version of the schema; None if there is no state database, or it has no tables yet."""
        if self._file is not None:
            if not self._file.exists:
                return None
            self._file.put_stale_journals_aside()
        # The reader changes nothing: the path may be mistyped, and lead to a stranger's file.
        with self._reader.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found

    def require(self, or_older: bool = False) -> None:
        """Make sure that there is a state database with this release's schema; nothing is changed.

        With `or_older` the schema of an earlier release will do.

        Raises:
            Rejected: there is none, or its schema is another release's.
        """
        found = self.version()
        if found is None:
            raise Rejected(
                f"there is no state database at {place(self.url)}: check STATE_DATABASE_URL, or let `start` make it"
            )
        self._refuse_newer(found)
        if found < SCHEMA_VERSION and not or_older:
            raise Rejected(
                f"the state database at {place(self.url)} has schema {found}, and this release needs schema "
                f"{SCHEMA_VERSION}: `migrate` and `start` bring it there; until then use the release before"
            )

    def migrate(self, keep: Keep = _nothing, to: str = SCHEMA_VERSION) -> bool:
        """Bring the schema to this release's version, and make the database if there is none; whether it was made.

        Nothing happens if it has that version. What is cut off goes on at the next call. `keep` is called in each
        transaction, and raises to end it all. `to` is an earlier version, for a copy.

        No daemon may lead meanwhile: see `engine/migrating.py`.

        Raises:
            Rejected: the database belongs to a newer release, or cannot be made.
            Unavailable: it is away, or another session holds a table.
        """
        found = self.version()
        if found is not None and found >= to:
            self._refuse_newer(found)
            return False
        if found is None and self._file is not None:
            make_file(self._file.path)
            self._file.put_stale_journals_aside()
        # Alembic costs a tenth of a second and several megabytes: only a first start pays for it.
        from janitor.state.migrations.upgrade import upgrade

        with self._patient_engine() as engine:
            upgrade(engine, to, keep)
        return found is None

    def pending(self) -> "Sequence[Pending]":
        """The steps that are to take until the schema is this release's; none if it is, or if it is newer."""
        from janitor.state.migrations.plan import pending

        return pending(self.version(), SCHEMA_VERSION)

    def _refuse_newer(self, found: str) -> None:
        if found > SCHEMA_VERSION:
            raise Rejected(
                f"the state database at {place(self.url)} has schema {found}, and this release knows schemas up to "
                f"{SCHEMA_VERSION}: start the newer release, or give an older copy of the database"
            )

    @contextmanager
    def _patient_engine(self) -> Iterator[Engine]:
        """An engine whose statements may take hours; SQLite has no limit anyway."""
        if family(self.url) == "sqlite":
            if self._file is not None:
                with self.engine.connect() as connection:
                    sort_beside(self._file.path, connection)
            yield self.engine
            return
        engine = patient_engine(self.url, self._connect_seconds, self._login)
        event.listen(engine, "connect", _let_go_of_locks)
        try:
            yield engine
        finally:
            engine.dispose()

    def close(self) -> None:
        """Close every pooled connection."""
        self._writers.close()
        self._readers.close()
        self.engine.dispose()
        self._reader.dispose()


def _opened(file: SameFile | None, connection: sqlite3.Connection, record: Any) -> None:
    if file is not None:
        file.opened(record.info["path"], record.info["file"])


def clock_of(url: URL, zero: datetime | None = None) -> SharedClock:
    """The clock of a state database; `zero` is what another process of this machine knows of it."""
    return SharedClock(None if family(url) == "sqlite" else _server_time, zero=zero)


def _server_time(connection: Connection) -> datetime:
    naive: datetime = connection.execute(select(func.utc_timestamp(6))).scalar_one()
    return naive.replace(tzinfo=timezone.utc)


def _journal(connection: sqlite3.Connection, record: Any) -> None:
    prepare_new_file(connection)
    # With FULL, a commit is on disk before it returns: a pulled plug takes no ledger row back.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _let_go_of_locks(connection: "pymysql.Connection[Any]", record: Any) -> None:
    # A process that freezes in a transaction would keep its locks for ever, and no stand-by could take over.
    ends = (
        f"idle_transaction_timeout = {IDLE_SECONDS}"
        if is_mariadb(connection)
        else f"wait_timeout = {MYSQL_IDLE_SECONDS}"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {ends}")
