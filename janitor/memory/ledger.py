"""The ledger: the digests of what a task has published."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import tenacity

from janitor.errors import Unavailable
from janitor.memory.access import now, reading, writing
from janitor.state import ledger

ENTER_SECONDS = 20.0
"""How long `enter` goes on trying while the state database is away."""


def published(name: str, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the 16-byte `digests` that the ledger `name` holds.

    Raises:
        Unavailable, Rejected: the state database is away or says no.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    with reading() as connection:
        return ledger.known(connection, name, digests)


def enter(name: str, digests: Iterable[bytes]) -> None:
    """Enter digests into the ledger `name`, all or none; they are committed when this returns.

    While the state database is away it tries again, for 20 s: what is published and not entered would be published
    again.

    Raises:
        Rejected: a digest is in the ledger already, or the state database says no; none was entered.
        Fenced, Unavailable: as `save_cursor` does.
    """
    wanted = list(digests)
    patiently = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Unavailable),
        stop=tenacity.stop_after_delay(ENTER_SECONDS),
        wait=tenacity.wait_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
    for attempt in patiently:
        with attempt, writing() as connection:
            if connection is not None:
                # An attempt whose answer was lost may have been committed.
                is_again = attempt.retry_state.attempt_number > 1
                there = ledger.known(connection, name, wanted) if is_again else set()
                ledger.add(connection, name, (each for each in wanted if each not in there), now())


def forget_published(name: str, age: timedelta) -> int:
    """Delete what the ledger `name` has held for longer than `age`; return how many entries went.

    It commits after each 1,000 entries. Calling it twice is harmless.

    Raises:
        Fenced, Unavailable, Rejected: as `save_cursor` does.
    """
    gone, before = 0, now() - age
    while True:
        with writing() as connection:
            batch = 0 if connection is None else ledger.prune(connection, name, before)
        gone += batch
        if not batch:
            return gone
