"""Observers: metrics, pings and error reports are told of each run of this process."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from janitor.engine.stages import Slot
from janitor.guard import foreign_code
from janitor.jobs.job import Job
from janitor.runs import Run
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Is told of every run; it is called in the run's thread, and may neither wait nor fail."""

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """A run is on record, and its task is called next."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """A run has ended; its end is recorded next."""

    def lost(self, lost: LostSlots) -> None:
        """Slots got no run, or their run's process died."""


class Observers:
    """All observers of a process, told in the order in which they came."""

    def __init__(self) -> None:
        """Nobody is told yet."""
        self._observers: list[Observer] = []

    def append(self, observer: Observer) -> None:
        """Tell this observer too, from now on."""
        self._observers.append(observer)

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Tell all of a run that begins."""
        self._tell(lambda observer: observer.began(job, slot, run))

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Tell all of a run's end."""
        self._tell(lambda observer: observer.ended(job, run, ending))

    def lost(self, lost: LostSlots) -> None:
        """Tell all of slots that got no run."""
        self._tell(lambda observer: observer.lost(lost))

    def _tell(self, call: Callable[[Observer], None]) -> None:
        """Tell each observer; what an observer raises keeps the run from nothing, and no other observer either."""
        for observer in self._observers:
            with foreign_code(partial(_failed, observer)):
                call(observer)


def _failed(observer: Observer, error: BaseException) -> None:
    log.error("%s could not be told of a run", type(observer).__name__, exc_info=error)
