"""Chunks: rows are compared by one statement, and written by one transaction, so many at a time."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_random_exponential

from janitor.databases.errors import is_duplicate, lost_a_race
from janitor.runs import current_run
from janitor.table_sink.column import Row

CHUNK_ROWS = 2000
"""Rows of a chunk. Measured: 1,000 to 5,000 differ little."""
ATTEMPTS = 5
"""A chunk that loses a race against another session is tried so often."""

logger = logging.getLogger(__name__)


class Chunk(NamedTuple):
    """Rows that fit. `suspects` may be stored differently, or not at all. `found` is how many keys are stored."""

    fitting: list[Row]
    suspects: list[Row]
    found: int

    @property
    def settled(self) -> set[Row]:
        """The rows that are stored exactly so."""
        return set(self.fitting).difference(self.suspects) if len(self.suspects) < len(self.fitting) else set()


def chunks(rows: Sequence[Any]) -> Iterator[list[Any]]:
    """The rows in chunks; before each is a safe point.

    Raises:
        DeadlineExceeded, Cancelled, Fenced: the run is to end.
    """
    for start in range(0, len(rows), CHUNK_ROWS):
        current_run().check()
        yield list(rows[start : start + CHUNK_ROWS])


def attempts() -> Retrying:
    """Attempts to carry out a chunk: up to ATTEMPTS, if each loses a race, with a random pause between them.

    A key that is there already was added meanwhile, or the rows hold another unique value twice. The second attempt
    looks at the keys anew. If that does not help, no further attempt would.
    """
    return Retrying(
        retry=_may_succeed,
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        sleep=current_run().sleep,
        before_sleep=_warn,
        reraise=True,
    )


def _may_succeed(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return error is not None and lost_a_race(error) and (state.attempt_number == 1 or not is_duplicate(error))


def _warn(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("chunk lost a race, attempt %d of %d: %s", state.attempt_number, ATTEMPTS, error)
