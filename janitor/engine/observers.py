"""Observers: metrics, pings and error reports are told of each run of this process.

An observer that raises keeps no run from its end, and no other observer from being told.
"""

from collections.abc import Callable
from typing import Protocol

from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.loops import Loops, no_error
from janitor.runs import Run
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots


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

    def __init__(self, loops: Loops | None = None) -> None:
        """Nobody is told yet."""
        self._observers: list[Observer] = []
        self._duty = (loops or Loops()).records("observers of runs")

    def append(self, observer: Observer) -> None:
        """Tell this observer too, from now on."""
        self._observers.append(observer)

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Tell all of a run that begins."""
        self._tell(f"the start of run {run.id}", lambda observer: observer.began(job, slot, run))

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Tell all of a run's end."""
        self._tell(f"the end of run {run.id}", lambda observer: observer.ended(job, run, ending))

    def lost(self, lost: LostSlots) -> None:
        """Tell all of slots that got no run."""
        self._tell(f"lost slots of {lost.job}", lambda observer: observer.lost(lost))

    def _tell(self, news: str, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            with self._duty.aside(f"{news} for {type(observer).__name__}", passes=no_error):
                tell(observer)
