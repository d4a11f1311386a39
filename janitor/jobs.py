"""A job: a task on a schedule, with everything that one `add_job` line says of it."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from apscheduler.triggers.base import BaseTrigger

from janitor.errors import BadSetting
from janitor.needs import Need

CatchUp = Literal["last", "none"]
Isolation = Literal["thread", "process"]
LATE_SECONDS = 60.0
"""How late a slot of a job with `catch_up="none"` may begin before it counts as missed."""


@dataclass(frozen=True)
class Job:
    """What one `add_job` line makes; `disabled_because` is empty for a job that is enabled."""

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

    @property
    def enabled(self) -> bool:
        """True where nothing disables it."""
        return not self.disabled_because


def variable(job_id: str) -> str:
    """The job's id as environment variables begin: `nightly-report` gives `NIGHTLY_REPORT`."""
    return re.sub(r"[^A-Z0-9]+", "_", job_id.upper())


def is_true(name: str, value: str) -> bool:
    """Read a true or false from outside.

    Raises:
        BadSetting: it is neither.
    """
    word = value.strip().lower()
    if word not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise BadSetting(name, value, "give true or false")
    return word in ("true", "1", "yes", "on")


def unknown_variables(environ: Iterable[str], jobs: Collection[str], settings: Iterable[str]) -> dict[str, str]:
    """Each variable of `environ` that looks like one of a job and names no job and no setting, with a sentence."""
    names = ", ".join(jobs)
    prefixes, known = {variable(job_id) for job_id in jobs}, {name.upper() for name in settings}
    unknown = {}
    for name in sorted(environ):
        match = re.fullmatch(r"(.+?)_(?:ENABLED|SCHEDULE|PING_URL|NOTICE_[A-Z_]+)", name)
        if match and match[1] not in prefixes and name not in known:
            unknown[name] = f"{name} is set, and there is no job {match[1].lower()}; the jobs are {names}"
    return unknown


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
    importable = getattr(job.func, "__qualname__", "<").isidentifier()
    if job.isolation == "process" and not importable:
        raise BadSetting(
            f"function {where}", job.func, "give a function at a module's top level to run it in a process"
        )
