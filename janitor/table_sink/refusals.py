"""Rows that the server refuses: they are found, and all other rows are written.

    a chunk was refused for what some row holds; in a transaction:
      |  move aside         rows whose unique values change get a value that nobody has: then two rows can swap
      |  halve              a refused piece is rolled back and halved, down to the single row
      v
    some rows are refused   they stay as they were. If rows were moved aside, all begins again without them, since
                            what they hold may now be in the way. So do rows that something writes back as they were
    no row is refused       the transaction may commit: nobody else has seen a value that was set aside

A key is never set aside: the row could not be found again.

Why rows are moved aside, and not deleted and inserted: a new row would lose the columns that the sink does not know,
get another id, and take the rows along that refer to it.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection

from janitor.errors import RowRefused
from janitor.runs import current_run
from janitor.table_sink.column import Column, Row
from janitor.table_sink.layout import Layout
from janitor.table_sink.plan import Change, Plan, Refused
from janitor.table_sink.read_back import altered
from janitor.table_sink.table import Table

Piece = TypeVar("Piece")
LEAST_CHARACTERS = 8
"""A text column that holds fewer characters has no room for a value that nobody has."""


@dataclass(frozen=True)
class Salvage:
    """A transaction that writes what goes; nothing of it is committed here."""

    statements: Table
    layout: Layout
    connection: Connection
    now: datetime
    refused: dict[Any, Refused] = field(default_factory=dict)

    def write(self, plan: Plan) -> Plan:
        """Write what goes of a plan; the plan as it was carried out.

        Raises:
            Unavailable, Rejected: the server says no for another reason than what a row holds.
            DeadlineExceeded, Cancelled, Fenced: the run is to end.
        """
        while True:
            left = plan.without(list(self.refused.values()), self.layout.key_of)
            self._run("SAVEPOINT salvage")
            moved = self._moved_aside(left.changed)
            refused = [(change.row, reason) for change, reason in self._pieces(left.changed, self._update)]
            refused += self._pieces(left.missing, self._insert)
            found = [Refused(self.layout.key_of(row), reason) for row, reason in refused]
            left = left.without(found, self.layout.key_of)
            changed = altered(self.statements, self.connection, self.layout, left)
            # If rows were moved aside, what was put back may be a value that was set aside.
            in_vain = [one.refused for one in changed if one.in_vain or moved]
            if not in_vain and not (found and moved):
                return left.without([one.refused for one in changed], self.layout.key_of)
            self.refused.update((one.key, one) for one in (*found, *in_vain))
            self._run("ROLLBACK TO SAVEPOINT salvage")

    def _insert(self, rows: list[Row]) -> None:
        self.statements.insert(self.connection, rows, self.now)

    def _update(self, changes: list[Change]) -> None:
        self.statements.update(self.connection, changes, self.now)

    def _pieces(self, rows: Sequence[Piece], write: Callable[[list[Piece]], None]) -> list[tuple[Piece, str]]:
        """Write the rows that go; the others, each with the server's reason."""
        if not rows:
            return []
        current_run().check()
        self._run("SAVEPOINT piece")
        try:
            write(list(rows))
        except RowRefused as exc:
            self._run("ROLLBACK TO SAVEPOINT piece")
            if len(rows) == 1:
                return [(rows[0], str(exc))]
        else:
            self._run("RELEASE SAVEPOINT piece")
            return []
        half = len(rows) // 2
        return [*self._pieces(rows[:half], write), *self._pieces(rows[half:], write)]

    def _moved_aside(self, changed: Sequence[Change]) -> bool:
        """Give values that nobody has to the stored rows whose unique values change; whether there are such rows."""
        aside: dict[Any, Change] = {}
        columns = self.layout.columns
        for index in self.layout.unique:
            column = next((one for one in index if one.name not in self.layout.keys and movable(one)), None)
            if column is None:
                continue
            places, its_place = [columns.index(one) for one in index], columns.index(column)
            for at, change in enumerate(changed):
                if any(change.kept[place] != change.row[place] for place in places):
                    key = self.layout.key_of(change.kept)
                    row = list(aside[key].row if key in aside else change.kept)
                    row[its_place] = elsewhere(column, at)
                    aside[key] = Change(change.kept, tuple(row))
        return len(self._pieces(list(aside.values()), self._update)) < len(aside)

    def _run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement)


def movable(column: Column) -> bool:
    """Whether a column has values that hardly anybody uses."""
    if column.kind == "text":
        return min(column.characters or LEAST_CHARACTERS, column.octets or LEAST_CHARACTERS) >= LEAST_CHARACTERS
    return column.kind in ("integer", "date", "datetime")


def elsewhere(column: Column, at: int) -> Any:
    """A value of a column that hardly any row has, another for each `at`, in the form that is stored.

    It is never NULL: a foreign key would pass NULL on, and the rows that refer to this row would forget it.
    """
    if column.kind == "text":
        return secrets.token_hex(16)[: min(column.characters or 32, column.octets or 32)]
    if column.kind == "integer":
        return column.low + at if column.low < 0 else column.high - at
    unit = timedelta(days=1) if column.kind == "date" else timedelta(seconds=1)
    return column.stored([column.low + at * unit])[0]
