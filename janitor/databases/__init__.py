"""Read and write other people's databases, within limits."""

from janitor.databases.engines import begin, configure, dispose, read
from janitor.databases.json_rows import fetch
from janitor.databases.load_limit import give_way
from janitor.databases.places import family, place, quoted
from janitor.databases.prefetch import ahead, each_ahead
from janitor.databases.sessions import Limits
from janitor.databases.statements import around, statement

__all__ = [
    "Limits",
    "ahead",
    "around",
    "begin",
    "configure",
    "dispose",
    "each_ahead",
    "family",
    "fetch",
    "give_way",
    "place",
    "quoted",
    "read",
    "statement",
]
