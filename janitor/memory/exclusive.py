"""Work that only one run at a time may do, across all jobs and processes.

    run A      takes the lease `name`, and works; every write of its memory checks that it still holds the lease
    run B      asks for the lease five times a second, and can be stopped while it waits
    run A      ends its work and gives the lease back
    run B      takes the lease

A lease that could not be given back is noted, and given back at the next chance. If the process dies, its neighbours
see that, or the lease expires after a minute.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from janitor.errors import JanitorError
from janitor.memory.access import state_of
from janitor.runs import Fence, Run, current_run
from janitor.state import State, leases
from janitor.state.holders import LONGEST_LEASE_SECONDS

LEASE_SECONDS = LONGEST_LEASE_SECONDS
"""How long a lease lasts if its process dies; while a run goes on, the keeper renews its leases."""

WAIT_SECONDS = 0.2
"""How often a waiting run asks for the lease."""

log = logging.getLogger(__name__)


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Let only one run at a time go on inside the block; the others wait before it.

    Inside the block every write to the memory checks that this run still holds the lease.

    Raises:
        DeadlineExceeded, Cancelled: while waiting, as the run's `check` does.
        Fenced: another process has taken this job over.
        Unavailable, Rejected: the state database is away or says no.
    """
    run = current_run()
    state = state_of(run)
    while (fence := _acquire(state, run, name)) is None:
        run.sleep(WAIT_SECONDS)
    run.fences[name] = fence
    try:
        yield
    finally:
        del run.fences[name]
        _release(state, fence)


def _acquire(state: State, run: Run, name: str) -> Fence | None:
    """Take the lease, and give back leases that were left over; None if another run holds the lease."""
    left_over = set(state.unreleased)
    with state.begin(*run.fences.values()) as connection:
        for lease in left_over:
            leases.release(connection, lease)
        now = state.now(connection)
        fence = leases.acquire(connection, name, run.holder, now, LEASE_SECONDS, leapt=state.clock.leapt())
    state.unreleased -= left_over
    return fence


def _release(state: State, fence: Fence) -> None:
    # The work under the lease is done, whether or not the state database can be told at once.
    state.unreleased.add(fence)
    try:
        with state.begin() as connection:
            leases.release(connection, fence)
    except JanitorError as exc:
        log.warning("the lease %s will be given back later: %s", fence.name, exc)
    else:
        state.unreleased.discard(fence)
