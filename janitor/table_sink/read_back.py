"""Reading back: whether rows are stored as they were written.

A trigger may rewrite what is written. Then the row differs at each comparison, and is written each time, for ever.
So what was written is read once more before it is committed.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection

from janitor.table_sink.column import Row, shown
from janitor.table_sink.layout import Layout
from janitor.table_sink.plan import Plan, Refused
from janitor.table_sink.table import Table


class Altered(NamedTuple):
    """A row that something changed as it was written.

    `in_vain`: what is stored is what was stored before, or the stored row that was to change is not there any more.
    """

    refused: Refused
    in_vain: bool


def altered(statements: Table, connection: Connection, layout: Layout, plan: Plan) -> list[Altered]:
    """The rows of a plan, which was just carried out, that are not stored as they were written."""
    written = [*plan.missing, *(row for _, row in plan.changed)]
    suspects = statements.suspects(connection, written)[0] if written else []
    if not suspects:
        return []
    keys = list(map(layout.key_of, suspects))
    stored = {layout.key_of(row): row for row in statements.stored(connection, keys, lock=False)}
    before = {layout.key_of(row): kept for kept, row in plan.changed}
    return [
        Altered(
            Refused(key, _reason(layout, row, stored.get(key))),
            key in before and stored.get(key) in (None, before[key]),
        )
        for key, row in zip(keys, suspects)
        if stored.get(key) != row
    ]


def _reason(layout: Layout, row: Row, stored: Row | None) -> str:
    if stored is None:
        return f"something changes the rows that are written: {layout.words(layout.key_of(row))} is not there"
    changed: list[tuple[str, Any, Any]] = [
        (column.name, given, found) for column, given, found in zip(layout.columns, row, stored) if given != found
    ]
    name, given, found = changed[0]
    what = f"{name} was written as {shown(given)} and is stored as {shown(found)}"
    return f"something changes the rows that are written: {what}"
