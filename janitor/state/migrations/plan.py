"""What is to do until a schema has a version, and about how long it takes: only what reads rows takes time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from janitor.databases.places import quoted
from janitor.state.migrations.steps import Step
from janitor.state.migrations.versions import VERSIONS

ROWS_A_SECOND = {"sqlite": 500_000, "mysql": 200_000}
"""So many rows are read for an index each second. Measured by `tests/state/migrations/test_large.py`."""
STEP_SECONDS = 0.05
"""What a step takes that reads no rows."""


@dataclass(frozen=True)
class Pending:
    """A step that is still to take, the number `number` of the steps to `version`."""

    version: str
    number: int
    step: Step

    def __str__(self) -> str:
        return f"schema {self.version}, step {self.number}: {self.step}"


@dataclass(frozen=True)
class Estimate:
    """A step that is still to take, with the rows that it reads, and about how long it takes."""

    pending: Pending
    rows: int
    seconds: float

    def __str__(self) -> str:
        if not self.pending.step.reads:
            return str(self.pending)
        return f"{self.pending} ({self.rows:,} row{'s' if self.rows != 1 else ''}, {roughly(self.seconds)})"


def pending(found: str | None, to: str) -> Sequence[Pending]:
    """The steps between two versions; None is an empty database. A step of them may be done already."""
    versions = [version for version in VERSIONS if (found or "") < version <= to]
    return [
        Pending(version, number, step) for version in versions for number, step in enumerate(VERSIONS[version](), 1)
    ]


def estimates(connection: sa.Connection, steps: Sequence[Pending]) -> Sequence[Estimate]:
    """What is to do, of those steps that are not done; nothing is changed."""
    return [estimate(connection, one) for one in steps if not one.step.is_done(connection)]


def estimate(connection: sa.Connection, one: Pending) -> Estimate:
    """About how long a step takes."""
    rows = _rows(connection, one.step.reads) if one.step.reads else 0
    kind = "sqlite" if connection.dialect.name == "sqlite" else "mysql"
    return Estimate(one, rows, STEP_SECONDS + rows / ROWS_A_SECOND[kind])


def roughly(seconds: float) -> str:
    """A time for people who wait."""
    if seconds < 1:
        return "under a second"
    return f"about {round(seconds)} s" if seconds < 90 else f"about {round(seconds / 60)} min"


def _rows(connection: sa.Connection, table: str) -> int:
    """How many rows a table has. A server guesses: to count millions takes it seconds."""
    if not sa.inspect(connection).has_table(table):
        return 0
    if connection.dialect.name == "sqlite":
        return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {quoted(table, 'sqlite')}").scalar_one())
    # MySQL 9 explains in words, unless it is told to give columns.
    query = f"EXPLAIN FORMAT=TRADITIONAL SELECT COUNT(*) FROM {quoted(table, 'mysql')}"
    found: Any = connection.exec_driver_sql(query).mappings().first()
    return int(found["rows"] or 0)
