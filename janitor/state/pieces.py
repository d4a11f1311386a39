"""Long lists in pieces: how many values one statement asks for.

A server is asked for thousands at once, since each question goes there and back. SQLite is in this process, and keeps
each statement that it prepared: with 3,000 values one takes half a megabyte, and lists of other lengths are others.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

OF_A_SERVER, OF_A_FILE = 5_000, 500


def in_pieces(connection: Connection, values: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values in their order, as many at once as one statement may ask this database for."""
    at_once = OF_A_FILE if connection.dialect.name == "sqlite" else OF_A_SERVER
    for start in range(0, len(values), at_once):
        yield values[start : start + at_once]
