"""Which kind of database a test is tried on without --all, if it is tried on SQLite and on a server with it.

Its name tells: half of the tests are tried on each. A test that is asked for by name is tried on both.
"""

from collections.abc import Iterable
from zlib import crc32

import pytest

KINDS = ("sqlite", "mariadb")


def left_for_all(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """The tests that another one asks the same of, on the other kind of database."""
    pairs: dict[tuple[str, tuple[str, ...]], dict[str, pytest.Item]] = {}
    for item in items:
        test, _, tail = item.nodeid.partition("[")
        parts = tail.rstrip("]").split("-")
        kinds = [part for part in parts if part in KINDS]
        if len(kinds) == 1:
            same = test, tuple("" if part in KINDS else part for part in parts)
            pairs.setdefault(same, {})[kinds[0]] = item
    return {both[KINDS[crc32(test.encode()) % 2]] for (test, _), both in pairs.items() if len(both) == 2}
