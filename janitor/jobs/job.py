"""A job: a task on a schedule, with everything that one `add_job` line says of it."""

import re
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from typing import Any, Literal

from apscheduler.triggers.base import BaseTrigger

from janitor.errors import BadSetting
from janitor.jobs.results import referred
from janitor.jobs.schedules import AFTER, Unscheduled
from janitor.needs import Need

CatchUp = Literal["last", "none"]
Isolation = Literal["thread", "process"]
LATE_SECONDS = 60.0
"""How late a slot of a job with `catch_up="none"` may begin before it counts as missed."""


@dataclass(frozen=True)
class Job:
    """What one `add_job` line, or one entry of a jobs file, makes; `disabled_because` is empty for one that is enabled.

    `keeps_result`: what the task returns is kept with its run. `file` is the jobs file that it stands in, if any.
    """

    id: str
    func: Callable[..., object]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    trigger: BaseTrigger
    schedule: str
    timeout: float = 3600.0
    retries: int = 0
    catch_up: CatchUp = "last"
    isolation: Isolation = "thread"
    late_seconds: float = LATE_SECONDS
    disabled_because: str = ""
    needs: Sequence[Need] = field(default=())
    title: str = ""
    notes: str = ""
    dependencies: Sequence[str] = ()
    tags: Sequence[str] = ()
    protect: bool = False
    cleanup: Callable[..., object] | None = None
    keeps_result: bool = False
    file: str = ""

    @property
    def enabled(self) -> bool:
        """True where nothing disables it."""
        return not self.disabled_because

    @property
    def after(self) -> bool:
        """True where it runs by itself once all its dependencies have newer successes than it has used."""
        return isinstance(self.trigger, Unscheduled) and self.trigger.words == AFTER


class Jobs(Mapping[str, Job]):
    """The jobs of a clock, by id; replaced as a whole, so that whoever goes through them sees one state of them."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self.before_change: list[Callable[[Mapping[str, Job]], None]] = []
        """Whoever wants to know of other jobs before they are taken; by raising BadSetting it refuses them."""

    def replace(self, jobs: Mapping[str, Job]) -> None:
        """Take other jobs in place of those there are.

        Raises:
            BadSetting: somebody refuses them, and nothing changes.
        """
        for tell in self.before_change:
            tell(jobs)
        self._jobs = dict(jobs)

    def __getitem__(self, job: str) -> Job:
        return self._jobs[job]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def values(self) -> ValuesView[Job]:
        """The jobs that there are at this moment."""
        return self._jobs.values()

    def items(self) -> ItemsView[str, Job]:
        """The jobs that there are at this moment, with their ids."""
        return self._jobs.items()


def check_options(job: Job) -> None:
    """Refuse what cannot work, where it enters.

    Raises:
        BadSetting: an argument of `add_job` is out of its range.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", job.id):
        raise BadSetting("id", job.id, "give up to 64 letters, digits, '_', '-' or '.'")
    where = f"of job {job.id}"
    timeout: object = job.timeout
    retries: object = job.retries
    if not isinstance(timeout, (int, float)) or not timeout > 0:
        raise BadSetting(f"timeout {where}", job.timeout, "give a number of seconds above 0")
    if not isinstance(retries, int) or retries < 0:
        raise BadSetting(f"retries {where}", job.retries, "give 0 or more")
    if job.catch_up not in ("last", "none"):
        raise BadSetting(f"catch_up {where}", job.catch_up, 'give "last" or "none"')
    if job.isolation not in ("thread", "process"):
        raise BadSetting(f"isolation {where}", job.isolation, 'give "thread" or "process"')
    for name in (*referred(tuple(job.args)), *referred(dict(job.kwargs))):
        if name not in job.dependencies:
            raise BadSetting(f"Result {where}", name, f"name {name} among its dependencies")
    importable = getattr(job.func, "__qualname__", "<").isidentifier()
    if job.isolation == "process" and not importable:
        raise BadSetting(
            f"function {where}", job.func, "give a function at a module's top level to run it in a process"
        )
