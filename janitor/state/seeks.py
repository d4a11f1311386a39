"""Queries that find their rows along an index, and read little else, however large the table is."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, select


def along(index: str, table: Table, query: Select[Any]) -> Select[Any]:
    """A query of `table` along an index.

    Without the hint MySQL or MariaDB may intersect two indexes and sort all that they find, or go through the whole
    table in the order that is asked for.
    """
    for dialect in ("mysql", "mariadb"):
        query = query.with_hint(table, f"FORCE INDEX ({index})", dialect)
    return query


def besides(column: ColumnElement[str]) -> ColumnElement[str]:
    """A text column as no index has it: rows are found by another condition, and this one is asked of them."""
    return column.concat("")


def earlier(connection: Connection, at: ColumnElement[datetime], id: ColumnElement[int], last: int) -> Any:
    """What comes after the row with the id `last`, in the order of `at` and then `id`, the newest first.

    If that row is gone, it is what has a lower id.
    """
    moment = connection.execute(select(at).where(id == last)).scalar()
    return id < last if moment is None else (at <= moment) & ((at < moment) | (id < last))
