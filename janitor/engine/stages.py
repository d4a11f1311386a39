"""What a run is at each stage: a slot, entered, begun, live."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from janitor.engine.journal import Record
from janitor.jobs.job import Job
from janitor.runs import Fence, Run
from janitor.state import run_records
from janitor.state.run_records import Ending, LostSlots


@dataclass(frozen=True)
class Slot:
    """What made a run start: a slot of the schedule, or a person, or new successes of dependencies, without a slot.

    `pins`: which runs of its dependencies it uses in place of their newest successes.
    """

    at: datetime | None
    origin: str = run_records.SCHEDULE
    pins: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Live:
    """A run that is going on in this process, and what it has reported."""

    run: Run
    job: Job
    fence: Fence
    progress: dict[str, Any]
    unsaved: bool = False
    warned: bool = False


@dataclass(frozen=True)
class Begun:
    """A run that is on record as begun."""

    run_id: int
    fence: Fence
    started_at: datetime
    used: Mapping[str, int]


@dataclass(frozen=True)
class Entered:
    """A slot, or a person's wish, whose run is about to be recorded."""

    job: Job
    slot: Slot
    dry_run: bool
    start: Record


class Observer(Protocol):
    """Whoever wants to know of every run of this process; called in the run's thread, it may neither wait nor fail."""

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """A run is on record, and its task is about to be called."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """A run's end is about to be recorded."""

    def lost(self, lost: LostSlots) -> None:
        """Slots got no run, or only one whose process died."""
