"""What a run is before its task is called: a slot, then entered, then begun."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from janitor.engine.journal_records import Record
from janitor.jobs.job import Job
from janitor.runs import Fence
from janitor.state import run_records


@dataclass(frozen=True)
class Slot:
    """What makes a run start; `at` is None for a run that a person, or a dependency's success, asked for.

    `pins` names the runs of dependencies that this run uses; a dependency without a pin gives its newest success.
    """

    at: datetime | None
    origin: str = run_records.SCHEDULE
    pins: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Entered:
    """A run whose beginning is in the journal, and may not be written yet."""

    job: Job
    slot: Slot
    dry_run: bool
    start: Record


@dataclass(frozen=True)
class Begun:
    """A run that is on record as begun; `used` names the run of each dependency that it uses."""

    run_id: int
    fence: Fence
    started_at: datetime
    used: Mapping[str, int]
