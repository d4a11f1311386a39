"""What a task remembers from run to run: cursors, ledger and quarantine, written only while the run holds its leases.

In a dry run everything can be read and nothing is written.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import tenacity
from sqlalchemy import Connection

from janitor.errors import JanitorError, Unavailable
from janitor.runs import Fence, Run, current_run
from janitor.state import State, cursors, leases, ledger, quarantine
from janitor.state.quarantine import Quarantined

__all__ = [
    "Quarantine",
    "Quarantined",
    "checked_longest_ago",
    "cursor",
    "enter",
    "exclusively",
    "forget_published",
    "looked_at",
    "published",
    "quarantined",
    "save_cursor",
]

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
WAIT_SECONDS = 0.2
ENTER_SECONDS = 20.0


def cursor(name: str) -> str | None:
    """The position saved under `name`; None before the first."""
    with _reading() as connection:
        return cursors.load(connection, name)


def save_cursor(name: str, position: str) -> None:
    """Save a position; it counts when this returns.

    Raises:
        Fenced: another process has taken this job over; nothing is written.
        Unavailable, Rejected: the state database is away or says no.
    """
    with _writing() as connection:
        if connection is not None:
            cursors.save(connection, name, position, _now(), current_run().id)


def published(name: str, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the 16-byte `digests` that the ledger `name` holds."""
    with _reading() as connection:
        return ledger.known(connection, name, digests)


def enter(name: str, digests: Iterable[bytes]) -> None:
    """Enter digests into the ledger `name`, all or none; it keeps trying for a while where the state database is away.

    Raises:
        Fenced, Unavailable, Rejected: as `save_cursor` does.
    """
    wanted = list(digests)
    # What has been published and is not entered would be published again.
    patiently = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Unavailable),
        stop=tenacity.stop_after_delay(ENTER_SECONDS),
        wait=tenacity.wait_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
    for attempt in patiently:
        with attempt, _writing() as connection:
            if connection is not None:
                # An attempt whose answer was lost may have been committed.
                again = attempt.retry_state.attempt_number > 1
                there = ledger.known(connection, name, wanted) if again else set()
                ledger.add(connection, name, (one for one in wanted if one not in there), _now())


def forget_published(name: str, age: timedelta) -> int:
    """Delete what the ledger `name` has held for longer than `age`, a little at a time; how many entries went."""
    gone, before = 0, _now() - age
    while True:
        with _writing() as connection:
            batch = 0 if connection is None else ledger.prune(connection, name, before)
        gone += batch
        if not batch:
            return gone


def quarantined(name: str, page_rows: int = 500) -> Iterator[Sequence[tuple[str, str]]]:
    """Every (key, item) in the quarantine `name`, in pages."""
    after = ("", "")
    while True:
        with _reading() as connection:
            page = quarantine.page(connection, name, after, page_rows)
        if not page:
            return
        yield page
        after = page[-1]


def checked_longest_ago(name: str, limit: int) -> Sequence[tuple[str, str]]:
    """Those (key, item) in the quarantine `name` that were last looked at longest ago."""
    with _reading() as connection:
        return quarantine.checked_longest_ago(connection, name, limit)


def looked_at(name: str, identities: Iterable[tuple[str, str]]) -> None:
    """Note that rows in the quarantine `name` were looked at just now, and stay for the reason they have.

    Raises:
        Fenced, Unavailable, Rejected: as `save_cursor` does.
    """
    if rows := sorted(identities):
        with _writing() as connection:
            if connection is not None:
                quarantine.touch(connection, name, rows, _now())


class Quarantine:
    """The quarantine of one task, as one run sees it: rows that could not be delivered, kept until they can be."""

    def __init__(self, name: str) -> None:
        """Nothing is read before the first use."""
        self.name = name
        self._empty: bool | None = None

    def __len__(self) -> int:
        with _reading() as connection:
            return quarantine.size(connection, self.name)

    def settle(self, items: Iterable[str], bad: Sequence[Quarantined]) -> Sequence[Quarantined]:
        """Keep the `bad` ones of the rows just looked at, let go of all others under these `items`.

        Returns one row for each key that is news, or is there for another reason than before.

        Raises:
            Fenced, Unavailable, Rejected: as `save_cursor` does.
        """
        wanted = {(row.key, row.item) for row in bad}
        gone = self._held(list(items)) - wanted
        if not wanted and not gone:
            return []
        with _writing() as connection:
            if connection is None:
                return []
            quarantine.release(connection, self.name, gone)
            news = quarantine.put(connection, self.name, bad, _now(), current_run().id)
        self._empty = self._empty and not wanted
        return news

    def _held(self, items: Sequence[str]) -> set[tuple[str, str]]:
        if self._empty:
            return set()
        with _reading() as connection:
            self._empty = quarantine.is_empty(connection, self.name)
            return set() if self._empty else quarantine.of_items(connection, self.name, items)


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Let only one run at a time, of whatever job and process, go on inside; the others wait at a safe point.

    Every write to the memory made inside checks that the lease is still this run's.

    Raises:
        DeadlineExceeded, Cancelled: while waiting, as `Run.check` does.
    """
    run = current_run()
    state, holder = _state(run), run.holder
    while True:
        left = set(state.unreleased)
        with state.begin(*run.fences.values()) as connection:
            for lease in left:
                leases.release(connection, lease)
            fence = leases.acquire(connection, name, holder, state.now(connection), LEASE_SECONDS)
        state.unreleased -= left
        if fence is not None:
            break
        run.sleep(WAIT_SECONDS)
    run.fences[name] = fence
    try:
        yield
    finally:
        del run.fences[name]
        _release(state, fence)


def _release(state: State, fence: Fence) -> None:
    # What was done under the lease is done, whether or not the state database can be told at once.
    state.unreleased.add(fence)
    try:
        with state.begin() as connection:
            leases.release(connection, fence)
    except JanitorError as exc:
        log.warning("the lease %s will be given back later: %s", fence.name, exc)
    else:
        state.unreleased.discard(fence)


@contextmanager
def _reading() -> Iterator[Connection]:
    run = current_run()
    run.check()
    with _state(run).read() as connection:
        yield connection


@contextmanager
def _writing() -> Iterator[Connection | None]:
    # No safe point: what a sink has confirmed is to be remembered, also by a run that is asked to stop.
    run = current_run()
    if run.dry_run:
        yield None
        return
    with _state(run).begin(*run.fences.values()) as connection:
        yield connection


def _state(run: Run) -> State:
    if run.state is None:
        raise JanitorError("this task remembers things between runs: run it as a job, with `python run.py run JOB`")
    state: State = run.state
    return state


def _now() -> datetime:
    return datetime.now(timezone.utc)
