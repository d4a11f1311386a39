"""How a job stands among the jobs that it builds on."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Build:
    """A run, and which runs of its dependencies it used: job -> run id."""

    run_id: int
    outcome: str | None = None
    used: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How a job stands among those that build on one another; dry runs and slots without a run do not count.

    `success`: the newest run that succeeded. `current`: the newest that succeeded or found nothing to do. `newest`:
    the newest at all, but for one that was interrupted, whose work is still to be done. `running`: one that goes on.
    """

    success: int | None = None
    current: Build | None = None
    newest: Build | None = None
    running: int | None = None
