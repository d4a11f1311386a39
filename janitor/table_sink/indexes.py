"""Unique indexes of a table."""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

PRIMARY = "PRIMARY"
"""The name of the primary key, on every server."""


class UniqueIndex(NamedTuple):
    """A unique index and its columns, in their order.

    `whole`: it compares whole values of all rows. An index of beginnings, expressions or some rows is not whole.
    """

    name: str
    columns: tuple[str, ...]
    whole: bool


def unique_indexes(parts: Iterable[tuple[str, str | None, bool]]) -> list[UniqueIndex]:
    """Indexes from their parts, each a name, a column (None is an expression), and whether it is whole.

    The parts of one index follow one another.
    """
    found = []
    for name, group in groupby(parts, lambda part: part[0]):
        of_index = list(group)
        columns = tuple(column for _, column, _ in of_index if column is not None)
        found.append(UniqueIndex(name, columns, len(columns) == len(of_index) and all(whole for *_, whole in of_index)))
    return found
