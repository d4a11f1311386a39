"""Which lanes are taken: by a run that goes on, or by a slot that waits for a thread.

free      take        taken
taken     let_wait    a slot waits, behind all others that wait
waits     replace     a newer slot waits in its place
waits     hand_out    taken, once a thread has the slot: the first come first
any       leave       free
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from janitor.engine.stages import Slot
from janitor.jobs.job import Job


@dataclass(frozen=True)
class Waiting:
    """A slot that waits for a thread, since a reading of the monotonic clock."""

    job: Job
    slot: Slot
    since: float


class Occupied:
    """The lanes that are taken, by job; from any thread."""

    def __init__(self) -> None:
        """All lanes are free."""
        self._changed = threading.Condition()
        self._taken: set[str] = set()
        self._waiting: dict[str, Waiting] = {}
        self.closed = False

    @property
    def waiting(self) -> int:
        """How many slots wait."""
        return len(self._waiting)

    def waiting_of(self, job_id: str) -> Waiting | None:
        """The slot of a job that waits; None if none does."""
        return self._waiting.get(job_id)

    def take(self, job_id: str) -> bool:
        """Take a lane; False if it is taken already, or if none may be taken any more."""
        with self._changed:
            if self.closed or job_id in self._taken:
                return False
            self._taken.add(job_id)
            return True

    def let_wait(self, waiting: Waiting) -> None:
        """Let a slot wait whose lane the caller has taken; after the end the lane is free instead."""
        with self._changed:
            if self.closed:
                self.leave(waiting.job.id)
            else:
                self._waiting[waiting.job.id] = waiting

    def replace(self, before: Waiting, after: Waiting) -> bool:
        """Let a slot wait in place of another of its job; False if that does not wait any more."""
        with self._changed:
            still = self._waiting.get(before.job.id) is before
            if still:
                self._waiting[before.job.id] = after
            return still

    def withdraw(self, job_id: str) -> None:
        """Free a lane if its slot waits."""
        with self._changed:
            if self._waiting.pop(job_id, None) is not None:
                self.leave(job_id)

    def withdraw_if(self, unwanted: Callable[[Waiting], bool]) -> None:
        """Free each lane whose slot waits and is unwanted."""
        with self._changed:
            for job_id in [job_id for job_id, waiting in self._waiting.items() if unwanted(waiting)]:
                self.withdraw(job_id)

    def hand_out(self, give: Callable[[Waiting], bool]) -> None:
        """Give what waits to `give`, the first come first, until it says no; what it takes waits no more."""
        with self._changed:
            while self._waiting:
                job_id, first = next(iter(self._waiting.items()))
                if not give(first):
                    return
                self._waiting.pop(job_id, None)

    def leave(self, job_id: str) -> None:
        """Free a lane."""
        with self._changed:
            self._waiting.pop(job_id, None)
            self._taken.discard(job_id)
            self._changed.notify_all()

    def close(self) -> None:
        """Let no lane be taken any more, and free those whose slots wait."""
        with self._changed:
            self.closed = True
            self._taken -= self._waiting.keys()
            self._waiting.clear()
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until all lanes are free; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._taken, seconds)
