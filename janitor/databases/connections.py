"""Connections for tasks: one that only reads, and one that writes in a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeout

from janitor.databases.engines import Engines
from janitor.databases.limits import Limits
from janitor.databases.logins import Login, as_given
from janitor.databases.places import place
from janitor.databases.sqlite_forks import undisturbed
from janitor.errors import Rejected, Unavailable
from janitor.runs import current_run

_engines = Engines(Limits())


def configure(limits: Limits, login: Login = as_given) -> None:
    """Use these limits from now on; every pooled connection made before is closed.

    `login` gives a URL with the user and the password of now: each new connection asks it.
    """
    global _engines
    dispose()
    _engines = Engines(limits, login)


def dispose() -> None:
    """Close every pooled connection; the next `read` or `begin` opens a new connection."""
    _engines.dispose()


@contextmanager
def read(url: URL) -> Iterator[Connection]:
    """Give a pooled connection that can only read; each statement sees what was committed before it began.

    A statement is stopped at the statement limit, or at the current run's deadline if that is sooner.

    Raises:
        Unavailable, Rejected, StatementTimeout: the server's error, as one sentence.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    with undisturbed(url), _connected(_engines.get(url, read_only=True)) as connection:
        yield connection


@contextmanager
def begin(url: URL) -> Iterator[Connection]:
    """Give a pooled connection in one transaction: it commits when the block ends, and rolls back if the block raises.

    In a dry run it rolls back in either case: the statements run and are counted, and nothing is written.

    Raises:
        Unavailable, Rejected, StatementTimeout: the server's error, as one sentence.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    engine = _engines.get(url, read_only=False)
    with undisturbed(url), _connected(engine) as connection, connection.begin() as transaction:
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
