"""Read and write other people's databases, within limits."""

from janitor.databases.connections import begin, configure, dispose, read
from janitor.databases.json_rows import fetch
from janitor.databases.limits import Limits
from janitor.databases.load_limit import wait_while_busy
from janitor.databases.places import family, place, quoted
from janitor.databases.prefetch import make_ahead, read_ahead
from janitor.databases.statements import select_from, statement

__all__ = [
    "Limits",
    "begin",
    "configure",
    "dispose",
    "family",
    "fetch",
    "make_ahead",
    "place",
    "quoted",
    "read",
    "read_ahead",
    "select_from",
    "statement",
    "wait_while_busy",
]
