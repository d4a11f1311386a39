"""Standings: the runs of a job that count when jobs build on one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Build:
    """A run, and the runs of its dependencies that it used: job -> run id."""

    run_id: int
    outcome: str | None = None
    used: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """The newest runs of a job, each None if there is none.

    `success`: the newest run that succeeded. `current`: the newest run that succeeded or found nothing to do.
    `newest`: the newest run of any outcome but interrupted, since the work of an interrupted run is still to be done.
    `running`: the run that goes on now. Dry runs do not count, nor do slots in which no run began.
    """

    success: int | None = None
    current: Build | None = None
    newest: Build | None = None
    running: int | None = None
