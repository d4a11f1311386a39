"""Reads from a warehouse what the lab counts on from."""

import itertools
from typing import Any

from sqlalchemy import URL, text

from janitor import databases


def column(url: URL, query: str) -> list[Any]:
    """Return the first column of a query's rows."""
    with databases.read(url) as connection:
        return list(connection.execute(text(query)).scalars())


def highest(url: URL, table: str, name: str) -> int:
    """Return the highest number in a table's column; 0 if the table is empty."""
    return int(column(url, f"SELECT COALESCE(MAX({name}), 0) FROM {table}")[0])


def ids_after(url: URL, table: str, name: str) -> "itertools.count[int]":
    """Return the numbers above the highest in a table's column, without an end."""
    return itertools.count(highest(url, table, name) + 1)
