"""The ledger: with which digest each key of a task was published last.

A key tells what a message is about, a digest what it says. With keys, content that changes back is news again. Without
keys, each digest is its own key: that is enough for what never changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import tenacity

from janitor.errors import Unavailable
from janitor.memory.access import now, reading, writing
from janitor.state import ledger
from janitor.state.ledger import Entry

ENTER_SECONDS = 20.0
"""How long `enter` goes on trying while the state database is away."""

Digests = Mapping[bytes, bytes] | Iterable[bytes]
"""Digests of 16 bytes, each by its key of up to 32 bytes; or digests alone."""


def published(name: str, digests: Digests) -> set[bytes]:
    """Those keys of `digests` that the ledger `name` holds with the same digest: they need not be published.

    A digest that an earlier release entered without its key counts too, if the key has no entry; the key gets one.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
        Fenced: another process has taken this job over.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    wanted = ledger.by_key(digests)
    with reading() as connection:
        last = ledger.entries(connection, name, list(wanted))
        unknown = {key: digest for key, digest in wanted.items() if key not in last}
        old = ledger.without_key(connection, name, list(unknown.values()))
    adopted = {key: digest for key, digest in unknown.items() if digest in old}
    if adopted:
        with writing(name) as writer:
            if writer is not None:
                ledger.adopt(writer, name, adopted, now())
    return adopted.keys() | {key for key, entry in last.items() if entry.digest == wanted[key]}


def last_published(name: str, keys: Sequence[bytes]) -> dict[bytes, Entry]:
    """With which digest, and when, each of `keys` was published last; a key without an entry is left out.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    with reading() as connection:
        return ledger.entries(connection, name, keys)


def enter(name: str, digests: Digests) -> None:
    """Enter digests into the ledger `name`, each in place of its key's last; all or none.

    They are committed when this returns. While the state database is away it tries again, for 20 s: what is published
    and not entered would be published again. Entering the same twice is harmless.

    Raises:
        Fenced, Unavailable, Rejected: as `save_cursor` does; none was entered.
    """
    wanted = ledger.by_key(digests)
    patiently = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Unavailable),
        stop=tenacity.stop_after_delay(ENTER_SECONDS),
        wait=tenacity.wait_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
    for attempt in patiently:
        with attempt, writing(name) as connection:
            if connection is not None:
                ledger.enter(connection, name, wanted, now())


def forget_published(name: str, age: timedelta) -> int:
    """Delete what the ledger `name` has held for longer than `age`; return how many entries went.

    It commits after each 1,000 entries. Calling it twice is harmless.

    Raises:
        Fenced, Unavailable, Rejected: as `save_cursor` does.
    """
    gone, before = 0, now() - age
    while True:
        with writing(name) as connection:
            batch = 0 if connection is None else ledger.prune(connection, name, before)
        gone += batch
        if not batch:
            return gone
