"""The rounds of a run of an inbox: it receives again and again, until it is asked to stop or its time is over."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from janitor.errors import DeadlineExceeded, Fenced, Interrupted
from janitor.items.ends import Verdict
from janitor.runs import current_run

RUN_SECONDS = 3600.0
"""After so long a run of an inbox ends, and the next goes on."""


class Rounds:
    """Tells whether another round is due, and counts what came of all."""

    def __init__(self) -> None:
        """The run begins now."""
        self._run = current_run()
        self._end = time.monotonic() + RUN_SECONDS
        self._counts: Counter[str] = Counter(received=0, items=0, dead_letters=0)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many messages were received, and how many became items and dead letters."""
        return dict(self._counts)

    @property
    def received(self) -> int:
        """How many messages were received."""
        return self._counts["received"]

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Count what came of a batch."""
        items = sum(verdict.is_item for verdict in verdicts)
        self._counts.update(received=len(verdicts), items=items, dead_letters=len(verdicts) - items)

    def go_on(self, was_idle: bool = False) -> bool:
        """Whether another round is due; a run by hand ends after an idle round. This is a safe point.

        Raises:
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        self._run.check()
        return time.monotonic() < self._end and not (was_idle and self._run.by_hand)

    def rest(self, seconds: float) -> None:
        """Wait before the next round; a run by hand does not wait.

        Raises:
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        if not self._run.by_hand:
            self._run.sleep(seconds)


@contextmanager
def until_asked_to_stop() -> Iterator[None]:
    """End a block quietly if the process shuts down, or if the run's time is over: what was not taken comes again.

    Raises:
        Fenced: another process has taken over.
        Cancelled: a person asked the run to stop; whatever else the block raises passes too.
    """
    try:
        yield
    except Fenced:
        raise
    except (Interrupted, DeadlineExceeded):
        pass
