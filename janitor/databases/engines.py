"""Engines for the warehouses: pooled, read-only where they only read, every statement bounded, every error in words."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.errors import translated
from janitor.databases.places import family, place
from janitor.databases.sessions import (
    Limits,
    begin_immediate,
    bound,
    mysql_arguments,
    open_file,
    set_up_mysql,
    set_up_sqlite,
)
from janitor.errors import Rejected, StatementTimeout, Unavailable
from janitor.runs import current_run

_limits = Limits()


def configure(limits: Limits) -> None:
    """Set the limits for all engines made from now on, and forget the engines made before."""
    global _limits
    dispose()
    _limits = limits


def dispose() -> None:
    """Close every pooled connection and forget all engines."""
    for made in _engines:
        made.dispose()
    _engines.clear()
    _engine.cache_clear()


_engines: list[Engine] = []


@contextmanager
def read(url: URL) -> Iterator[Connection]:
    """A pooled connection that can only read; each statement sees what was committed when it began.

    Statements are stopped at the statement limit, or at the current run's deadline where that is sooner.

    Raises:
        Unavailable, Rejected, StatementTimeout: whatever the server said, as one sentence.
    """
    with _connected(_engine(url, True)) as connection:
        yield connection


@contextmanager
def begin(url: URL) -> Iterator[Connection]:
    """A pooled connection in one transaction, which commits when the block ends and rolls back when it raises.

    In a dry run it rolls back at the end too: the statements have run and been counted, and nothing is written.

    Raises:
        Unavailable, Rejected, StatementTimeout: whatever the server said, as one sentence.
    """
    with _connected(_engine(url, False)) as connection, connection.begin() as transaction:
        yield connection
        if current_run().dry_run:
            transaction.rollback()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    current_run().check()
    try:
        connection = engine.connect()
    except PoolTimeout as exc:
        raise Unavailable(f"{place(engine.url)} has no free connection in this process: {exc.args[0]}") from exc
    except OSError as exc:
        where = place(engine.url)
        raise Rejected(f"TLS with {where} cannot be set up: {exc}; check the files named in its URL") from exc
    with connection:
        yield connection


@functools.lru_cache(maxsize=None)
def _engine(url: URL, read_only: bool) -> Engine:
    engine = make_engine(url, read_only=read_only, limits=_limits)
    event.listen(engine, "before_cursor_execute", functools.partial(bound, _limits))
    _engines.append(engine)
    return engine


def make_engine(url: URL, *, read_only: bool, limits: Limits, create: bool = False) -> Engine:
    """A new engine with its own pool; `create` lets a missing SQLite file (and its folder) be made."""
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 15}
    options["pool_timeout"] = limits.connect_seconds
    if read_only:
        options |= {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True}
    if family(url) == "sqlite":
        engine = create_engine(url, connect_args={"timeout": limits.statement_seconds}, **options)
        event.listen(engine, "do_connect", functools.partial(open_file, create))
        event.listen(engine, "connect", functools.partial(set_up_sqlite, read_only))
        if not read_only:
            event.listen(engine, "begin", begin_immediate)
    else:
        engine = create_engine(url, connect_args=mysql_arguments(limits), pool_recycle=1800, **options)
        event.listen(engine, "connect", functools.partial(set_up_mysql, read_only, limits))
    event.listen(engine, "handle_error", functools.partial(_translate, place(url)), retval=False)
    return engine


def _translate(where: str, context: ExceptionContext) -> None:
    if context.is_pre_ping:
        return  # the pool itself replaces a connection that has died in it
    executed = context.execution_context
    if executed is not None and executed.execution_options.get("skip_user_error_events"):
        # SQLAlchemy asks whether a table exists by an error, and reads the driver's own.
        return
    error = translated(context.original_exception, where)
    run = current_run()
    if isinstance(error, StatementTimeout) and run.remaining_seconds == 0:
        run.check()
    if error is not None:
        raise error from context.original_exception
