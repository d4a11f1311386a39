"""A job: a task on a schedule, with all that its `add_job` line or its entry in a jobs file says."""

import pickle
import re
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeGuard

from apscheduler.triggers.base import BaseTrigger

from janitor.errors import BadSetting
from janitor.guard import foreign_code
from janitor.jobs import identities
from janitor.jobs.result_texts import Keeps
from janitor.jobs.results import referred
from janitor.jobs.schedules import AFTER, Unscheduled, describe
from janitor.jobs.with_work import Work
from janitor.needs import Need

CatchUp = Literal["last", "none"]
Isolation = Literal["thread", "process"]
ID_HELP = "give up to 64 letters, digits, '_', '-' or '.'"
LATE_SECONDS = 60.0
"""With `catch_up="none"`, a slot that begins later than this counts as missed."""


@dataclass(frozen=True)
class Job:
    """What one `add_job` line, or one entry of a jobs file, makes.

    `timeout` and `late_seconds` are in seconds. `disabled_because` is empty if the job is enabled. `keeps_result` tells
    whether its runs keep what the task returned. `file` is the jobs file with the job's entry, empty without one. With
    `own_thread` its runs wait for no other job's. `memories` are names under which its task remembers things, as far as
    its needs tell. `work` is what the job works on, if it runs whenever there is some.
    """

    id: str
    func: Callable[..., object]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    trigger: BaseTrigger
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
    keeps_result: Keeps = "no"
    file: str = ""
    own_thread: bool = False
    memories: Sequence[str] = ()
    work: Work | None = None

    @cached_property
    def schedule(self) -> str:
        """The trigger in the words of `schedules.parse`; a schedule that is not the same has other words."""
        return describe(self.trigger)

    @cached_property
    def identity(self) -> str:
        """What tells the job's schedule from every other, as it is remembered between starts."""
        return identities.identity(self.trigger)

    def has_schedule(self, known: str) -> bool:
        """Whether its schedule is the one that was remembered as `known`, however it is written."""
        return identities.is_same(known, self.trigger)

    @property
    def enabled(self) -> bool:
        """Whether the job may run."""
        return not self.disabled_because

    @property
    def after(self) -> bool:
        """Whether the job runs by itself, after its dependencies."""
        return isinstance(self.trigger, Unscheduled) and self.trigger.words == AFTER


class Jobs(Mapping[str, Job]):
    """The jobs of a clock, by id.

    They are replaced all at once: whoever goes through them meets either the old jobs or the new jobs.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._consulted: list[Callable[[Mapping[str, Job]], None]] = []

    def consult(self, check: Callable[[Mapping[str, Job]], None]) -> None:
        """Call `check` with new jobs before they replace the old; it refuses them by raising BadSetting."""
        self._consulted.append(check)

    def replace(self, jobs: Mapping[str, Job]) -> None:
        """Put these jobs in place of all jobs.

        Raises:
            BadSetting: a consulted check refuses the jobs; then nothing changes.
        """
        for check in self._consulted:
            check(jobs)
        self._jobs = dict(jobs)

    def __getitem__(self, job: str) -> Job:
        return self._jobs[job]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def values(self) -> ValuesView[Job]:
        """The jobs as they are at this moment."""
        return self._jobs.values()

    def items(self) -> ItemsView[str, Job]:
        """The jobs as they are at this moment, with their ids."""
        return self._jobs.items()


def check_id(job_id: object) -> None:
    """Refuse what cannot be the id of a job.

    Raises:
        BadSetting: it is no text, or has other characters than an id may have.
    """
    if not is_id(job_id):
        raise BadSetting("id", job_id, ID_HELP)


def is_id(job_id: object) -> TypeGuard[str]:
    """Whether something can be the id of a job."""
    return isinstance(job_id, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", job_id) is not None


def check_options(job: Job) -> None:
    """Refuse a job with an option that cannot work.

    Raises:
        BadSetting: an option is out of its range; the error names it.
    """
    check_id(job.id)
    for name, right, expected in _options(job):
        if not right:
            raise BadSetting(f"{name} of job {job.id}", getattr(job, name), expected)
    if job.after and not job.dependencies:
        expected = "that runs a job after its dependencies, and it has none: name them, or give another schedule"
        raise BadSetting(f"schedule of job {job.id}", AFTER, expected)
    for name in (*referred(tuple(job.args)), *referred(dict(job.kwargs))):
        if name not in job.dependencies:
            raise BadSetting(f"Result of job {job.id}", name, f"name {name} among its dependencies")
    if job.isolation == "process" and not can_be_sent(job.func):
        raise BadSetting(
            f"function of job {job.id}", job.func, "give a function at a module's top level to run it in a process"
        )


def can_be_sent(function: object) -> bool:
    """Whether another process can have a function: by its name, or as the object and the values that it is made of."""
    with foreign_code(lambda error: True) as failed:
        pickle.dumps(function)
    return failed.instead is None


def _options(job: Any) -> Iterator[tuple[str, bool, str]]:
    """Each option whose value has a range: its name, whether the value is in it, and what would be right."""
    yield "timeout", _number(job.timeout) and job.timeout > 0, "give a number of seconds above 0"
    yield "retries", _number(job.retries) and isinstance(job.retries, int) and job.retries >= 0, "give 0 or more"
    yield "catch_up", job.catch_up in ("last", "none"), 'give "last" or "none"'
    yield "isolation", job.isolation in ("thread", "process"), 'give "thread" or "process"'
    yield "title", isinstance(job.title, str), "give a text"
    yield "notes", isinstance(job.notes, str), "give a text"
    yield "protect", isinstance(job.protect, bool), "give True or False"
    yield "own_thread", isinstance(job.own_thread, bool), "give True or False"
    yield "cleanup", job.cleanup is None or callable(job.cleanup), "give a function, without brackets behind it"


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
