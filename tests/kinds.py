"""Which kind of server a test is tried on without --all, if it is tried on either of two with it.

Its name tells: half of the tests are tried on each. A test that is asked for by name is tried on both.
"""

from collections.abc import Iterable
from zlib import crc32

import pytest

KINDS = (("sqlite", "mariadb"), ("standard", "fifo"), ("classic", "quorum"))
"""Of databases, of queues of SQS, of queues of RabbitMQ."""


def left_for_all(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """The tests that another one asks the same of, on another kind of server."""
    here, left = list(items), set[pytest.Item]()
    for kinds in KINDS:
        left |= _of_two(kinds, (item for item in here if item not in left))
    return left


def _of_two(kinds: tuple[str, str], items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """One of each two tests that differ in this alone."""
    pairs: dict[tuple[str, tuple[str, ...]], dict[str, pytest.Item]] = {}
    for item in items:
        test, _, tail = item.nodeid.partition("[")
        parts = tail.rstrip("]").split("-")
        found = [part for part in parts if part in kinds]
        if len(found) == 1:
            same = test, tuple("" if part in kinds else part for part in parts)
            pairs.setdefault(same, {})[found[0]] = item
    return {both[kinds[crc32(test.encode()) % 2]] for (test, _), both in pairs.items() if len(both) == 2}
