"""What a broker has refused: tried again less and less often, and in quarantine after some runs.

    refused for the 1st time    the next run tries again
    for the 2nd, 3rd, 4th       it is held back for 10, 20, 40 minutes
    for the 5th                 it goes to quarantine, and is tried again after 80 minutes
    later                       twice as long each time, a day at most

What is refused for itself, because it is too large for example, goes to quarantine at the first time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from janitor.memory.access import now, reading, writing
from janitor.runs import current_run
from janitor.state import refusals
from janitor.state.refusals import NEVER, RUNS, KeyAndItem, Refusal

PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(days=1)
SLACK = timedelta(seconds=1)
"""A clock is moved a little all the time."""


@dataclass(frozen=True)
class NotTaken:
    """Why something was refused now; `for_itself` means that it is refused again until it is changed."""

    reason: str
    for_itself: bool = False


class Refusals:
    """The refusals of one task, as one run sees them."""

    def __init__(self, name: str) -> None:
        """Nothing is read yet."""
        self.name = name

    def of_items(self, items: Iterable[str]) -> dict[KeyAndItem, Refusal]:
        """What was refused under these items, by (key, item) of the quarantine.

        Raises:
            Unavailable, Rejected: the state database is away or says no.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        with reading() as connection:
            # Asked each time: another run may just have been refused something.
            if refusals.is_empty(connection, self.name):
                return {}
            return refusals.of_items(connection, self.name, sorted(set(items)))

    def settle(
        self, before: Mapping[KeyAndItem, Refusal], refused: Mapping[KeyAndItem, NotTaken]
    ) -> dict[KeyAndItem, Refusal]:
        """Count what was refused now, and forget the rest of `before`: it was delivered.

        `before` is what `of_items` gave for what was tried now. It is committed when this returns.

        Returns:
            What was refused now, as it is kept.

        Raises:
            Fenced, Unavailable, Rejected: as `save_cursor` does.
        """
        mask = current_run().mask
        made = {
            one: _again(before.get(one), replace(why, reason=mask(why.reason)), now()) for one, why in refused.items()
        }
        if made or before:
            with writing(self.name) as connection:
                if connection is not None:
                    refusals.remove(connection, self.name, before.keys() - made.keys())
                    refusals.put(connection, self.name, made)
        return made


def is_due(refusal: Refusal | None) -> bool:
    """Whether a run may try now: it was never refused, or its pause is over; what a person gave up is never due.

    No pause is longer than its number of refusals says: else the clock was set back meanwhile.
    """
    if refusal is None or refusal.next_at == NEVER:
        return refusal is None
    left = refusal.next_at - now()
    return left <= timedelta() or left > _pause(refusal.attempts) + SLACK


def is_for_quarantine(refusal: Refusal) -> bool:
    """Whether it was refused so often, or for itself, that it waits in quarantine."""
    return refusal.attempts >= RUNS


def _again(before: Refusal | None, why: NotTaken, at: datetime) -> Refusal:
    attempts = max(1 + (before.attempts if before else 0), RUNS if why.for_itself else 0)
    return Refusal(why.reason, attempts, at + _pause(attempts))


def _pause(attempts: int) -> timedelta:
    return timedelta() if attempts == 1 else min(PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
