"""Engines: a pool of connections for each database, each set up, bounded, and with every error in one sentence."""

import functools
import os
import threading
from typing import Any
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import Pool

from janitor.databases import dry_runs, mysql_sessions, sqlite_sessions
from janitor.databases.errors import is_another_server, is_not_there, translated
from janitor.databases.limits import Limits
from janitor.databases.logins import Login, as_given, log_in
from janitor.databases.moved_names import MovedNames
from janitor.databases.places import family, place
from janitor.databases.pymysql_private import sockets_of
from janitor.errors import StatementTimeout
from janitor.runs import current_run
from janitor.runs.forks import keep_from_children
from janitor.settings.database_options import known_options

_engines: "WeakSet[Engine]" = WeakSet()
"""All engines of this process."""
_adding = threading.Lock()
_moved = MovedNames()
_registries: "WeakSet[Engines]" = WeakSet()
_of_parent: list[Pool] = []
"""In a forked child: the pools of its parent. Nothing may close what is in them, or SQLite's files would suffer."""
_POOL = {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 15}
RECYCLE_SECONDS = 300
"""After so long a connection to a server is replaced: by then the server's name may lead elsewhere."""
KEPT_STATEMENTS = 8
"""So many prepared statements each connection to SQLite keeps. Python's own 128 took up to 5 MB a connection, and a
statement with thousands of keys in a list, each time of another length, takes half a megabyte by itself."""
LOOKS = ("DESCRIBE ", "SHOW CREATE TABLE ")
"""How SQLAlchemy looks at a table of a server. From the driver's own error it learns that the table is not there."""
_READ_ONLY = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True}


class Engines:
    """The engines of this process: at most one to read and one to write each database, each made at its first use."""

    def __init__(self, limits: Limits, login: Login = as_given) -> None:
        """No engine is made yet."""
        self._limits, self._login = limits, login
        self._made: dict[tuple[URL, bool], Engine] = {}
        self._making = threading.Lock()
        _registries.add(self)

    def get(self, url: URL, *, read_only: bool) -> Engine:
        """The engine for a database; each of its statements ends at the statement limit or at the run's deadline."""
        with self._making:
            found = self._made.get((url, read_only))
            if found is None:
                found = make_engine(url, read_only=read_only, limits=self._limits, login=self._login)
                self._made[url, read_only] = found
                event.listen(found, "before_cursor_execute", functools.partial(_limit_statement, self._limits))
                if not read_only:
                    event.listen(found, "before_cursor_execute", dry_runs.refuse_lasting)
                    event.listen(found, "commit", dry_runs.refuse_commit)
            return found

    def be_in_child(self) -> None:
        """Go on in a forked child; another thread of the parent may have held the lock."""
        self._making = threading.Lock()

    def dispose(self) -> None:
        """Close every pooled connection and forget all engines."""
        with self._making:
            for engine in self._made.values():
                engine.dispose()
            self._made.clear()


def make_engine(
    url: URL, *, read_only: bool, limits: Limits, login: Login = as_given, kept_statements: int = KEPT_STATEMENTS
) -> Engine:
    """Make an engine with a pool of its own.

    A statement has no limit but the socket's. If the server is no longer what it was, the pools of all engines to it
    are closed. Each new connection asks `login` whom to log in. One to SQLite keeps `kept_statements`.
    """
    options = {**_POOL, "pool_timeout": limits.connect_seconds, **(_READ_ONLY if read_only else {})}
    if family(url) == "sqlite":
        engine = _sqlite_engine(url, options, read_only, limits, kept_statements)
    else:
        engine = _mysql_engine(url, options, read_only=read_only, limits=limits, login=login)
    event.listen(engine, "handle_error", functools.partial(_translate, url), retval=False)
    with _adding:
        _engines.add(engine)
    return engine


def leave_server(url: URL) -> None:
    """Close all pooled connections to a server: new connections may find another server under its name.

    Those that only read are closed too, and those to the state database. They would go on reading what is old.
    """
    with _adding:
        engines = [engine for engine in _engines if _is_same_server(url, engine.url)]
    for engine in engines:
        engine.dispose()


def _mysql_engine(url: URL, options: dict[str, Any], *, read_only: bool, limits: Limits, login: Login) -> Engine:
    # SQLAlchemy and the driver would read some options as texts, so they get them typed.
    given = known_options(url)
    arguments = mysql_sessions.connect_arguments(limits, given)
    without = url.difference_update_query(given)
    engine = create_engine(without, connect_args=arguments, pool_recycle=RECYCLE_SECONDS, **options)
    event.listen(engine, "do_connect", functools.partial(mysql_sessions.ask_for_tls, given))
    event.listen(engine, "do_connect", functools.partial(log_in, login, url))
    event.listen(engine, "do_connect", mysql_sessions.encode_password)
    event.listen(engine, "do_connect", mysql_sessions.connect)
    event.listen(engine, "connect", functools.partial(mysql_sessions.set_up_session, read_only, limits))
    event.listen(engine, "connect", lambda connection, record: _leave_older(url, record))
    event.listen(engine, "connect", lambda connection, record: keep_from_children(connection, sockets_of))
    event.listen(engine, "set_connection_execution_options", _go_on_translating)
    return engine


def _leave_older(url: URL, record: Any) -> None:
    """If a new connection finds another server than before, close the connections to that one."""
    if _moved.has_moved((url.host, url.port or 3306), record.info["server"]):
        leave_server(url)


def _sqlite_engine(url: URL, options: dict[str, Any], read_only: bool, limits: Limits, kept: int) -> Engine:
    arguments = {"timeout": limits.statement_seconds, "cached_statements": kept}
    engine = create_engine(url, connect_args=arguments, **options)
    event.listen(engine, "do_connect", sqlite_sessions.open_file)
    event.listen(engine, "connect", functools.partial(sqlite_sessions.set_up_session, read_only))
    event.listen(engine, "checkout", sqlite_sessions.leave_replaced_file)
    if not read_only:
        event.listen(engine, "begin", sqlite_sessions.begin_immediate)
    return engine


def _limit_statement(limits: Limits, connection: Connection, *statement: Any) -> None:
    """End the statement that is about to be sent at the statement limit, or at the current run's deadline if sooner."""
    # A little later than the deadline, so that the deadline has surely passed when the server stops the statement.
    seconds = min(limits.statement_seconds, current_run().remaining_seconds + 0.002)
    if connection.dialect.name == "sqlite":
        sqlite_sessions.limit_next_statement(connection, seconds)
    else:
        mysql_sessions.limit_next_statement(connection, seconds)


def _translate(url: URL, context: ExceptionContext) -> None:
    if context.is_pre_ping:
        return  # the pool itself replaces a connection that has died in it
    if str(context.statement).startswith(LOOKS) and is_not_there(context.original_exception):
        return
    if is_another_server(context.original_exception):
        context.is_disconnect = True  # this connection is closed, and its pool with it
    _raise(url, context.original_exception)


def raise_translated(connection: Connection, error: BaseException) -> None:
    """Raise our error for a driver's error of a statement that went straight to the driver; close what is of no use.

    Raises:
        Unavailable, Rejected, StatementTimeout: what the error means.
    """
    driver: Any = connection.connection.driver_connection
    if is_another_server(error) or connection.dialect.is_disconnect(error, driver, None):  # type: ignore[arg-type]
        connection.invalidate(error)
    _raise(connection.engine.url, error)


def _raise(url: URL, raised: BaseException) -> None:
    """Raise our error for a driver's error; nothing happens if it is none of a driver."""
    error = translated(raised, place(url))
    run = current_run()
    if isinstance(error, StatementTimeout) and run.remaining_seconds == 0:
        run.check()
    if is_another_server(raised):
        leave_server(url)
    if error is not None:
        raise error from raised


def _go_on_translating(connection: Connection, options: dict[str, Any]) -> None:
    """Let a connection go on with our errors, whatever SQLAlchemy asks for as it looks at a table of a server."""
    options.pop("skip_user_error_events", None)


def _is_same_server(url: URL, other: URL) -> bool:
    return family(url) == family(other) == "mysql" and (url.host, url.port or 3306) == (other.host, other.port or 3306)


def _in_forked_child() -> None:
    """Let a forked child open connections of its own; another thread of the parent may have held the lock."""
    global _adding
    _adding = threading.Lock()
    for registry in list(_registries):
        registry.be_in_child()
    for engine in list(_engines):
        _of_parent.append(engine.pool)
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_in_forked_child)
