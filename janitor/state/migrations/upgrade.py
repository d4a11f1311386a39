"""Take the steps that a state database lacks.

    of version      0005      0006
    steps           | table   | table   index   step ...
    recorded 0004                    ^ cut off here: what is done is passed over at the next start         recorded 0006

1. Each step is a transaction of its own, or several. Whoever is cut off has lost one step at most.
2. The version is recorded once all steps of all versions are taken. Steps only add: until then the release that made
   the state database can go on.
3. Two processes may take the same steps: whoever comes later finds them done.
"""

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import sqlalchemy as sa

from janitor.databases.errors import waited_for_a_lock
from janitor.errors import RowRefused, StatementTimeout
from janitor.state.migrations import Keep
from janitor.state.migrations.plan import Pending, estimate, pending
from janitor.state.migrations.steps import transaction

log = logging.getLogger(__name__)

TRIES = 12
"""So often a step is tried while another session holds its table: a minute, if each try waits some seconds."""
LONG_SECONDS = 1.0
"""A step is announced if it is expected to take so long."""
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def upgrade(engine: sa.Engine, to: str, keep: Keep) -> None:
    """Bring the schema to a version; nothing happens if it has it. `keep` is called in each transaction.

    Raises:
        Unavailable, Rejected: the state database is away or says no; the next call goes on.
    """
    with engine.connect() as connection:
        with connection.begin():
            found = _found(connection)
        with _around(connection, is_new=found is None):
            for one in pending(found, to):
                _take(connection, one, keep, told=found is not None)
            _record(connection, to, keep)


def _around(connection: sa.Connection, is_new: bool) -> AbstractContextManager[Any]:
    """A new file is made in one transaction: each would wait for the disk."""
    return connection.begin() if is_new and connection.dialect.name == "sqlite" else nullcontext()


def _take(connection: sa.Connection, one: Pending, keep: Keep, told: bool) -> None:
    began = time.monotonic()
    for left in reversed(range(TRIES)):
        try:
            if told and left == TRIES - 1:
                _announce(connection, one)
            one.step.take(connection, keep)
            break
        except StatementTimeout as exc:
            if not left or not waited_for_a_lock(exc):
                raise
            log.warning("%s, is tried again: %s", one, exc)
    if told:
        log.info("%s: done in %.1f s", one, time.monotonic() - began)


def _announce(connection: sa.Connection, one: Pending) -> None:
    """Say beforehand what takes long."""
    if one.step.reads:
        with transaction(connection):
            expected = None if one.step.is_done(connection) else estimate(connection, one)
        if expected is not None and expected.seconds >= LONG_SECONDS:
            log.info("%s", expected)


def _found(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        connection.execute(
            sa.text(
                "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
        )
    return _recorded(connection)


def _recorded(connection: sa.Connection) -> str | None:
    found: str | None = connection.execute(sa.select(_VERSION.c.version_num).with_for_update()).scalar()
    return found


def _record(connection: sa.Connection, version: str, keep: Keep) -> None:
    try:
        with transaction(connection):
            _write(connection, version)
            keep(connection)
    except RowRefused:
        # Another process has made the same database at the same moment.
        with transaction(connection):
            _write(connection, version)
            keep(connection)


def _write(connection: sa.Connection, version: str) -> None:
    found = _recorded(connection)
    if found is None:
        connection.execute(sa.insert(_VERSION).values(version_num=version))
    elif found < version:
        # Another process may be further.
        connection.execute(sa.update(_VERSION).where(_VERSION.c.version_num == found).values(version_num=version))
