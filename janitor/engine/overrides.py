"""What the environment says of a job in place of its line: `<ID>_SCHEDULE` and `<ID>_ENABLED`."""

import difflib
import functools
import inspect
from collections.abc import Mapping
from dataclasses import fields
from datetime import tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import undefined

from janitor.engine.clock import Clock
from janitor.errors import BadSetting
from janitor.jobs import schedules
from janitor.jobs.job import Job
from janitor.jobs.triggers import KINDS, make
from janitor.jobs.variables import is_true, variable
from janitor.jobs.with_work import WITH_WORK, Paced
from janitor.settings.settings import Settings

OPTIONS = {field.name for field in fields(Job)} - {
    "trigger",
    "late_seconds",
    "disabled_because",
    "keeps_result",
    "file",
    "memories",
    "work",
}
"""The arguments of `add_job` that a job has."""
MOMENTS = frozenset({"run_date", "start_date", "end_date"})
"""The arguments of triggers that are moments."""


def trigger_of(
    clock: Clock, settings: Settings, job_id: str, trigger: BaseTrigger | str | None, arguments: Mapping[str, Any]
) -> BaseTrigger:
    """When a job is due: as its variable says, in words, or as APScheduler's `add_job` takes it.

    Raises:
        BadSetting: the schedule is malformed, or an argument is neither `add_job`'s nor the trigger's.
    """
    name, told = f"{variable(job_id)}_SCHEDULE", f"the schedule of job {job_id}"
    zone: tzinfo = settings.schedule_timezone
    _check_names(job_id, trigger, arguments)
    given = settings.given(name)
    if given is not None:
        return schedules.parse(given, zone, name)
    if isinstance(trigger, str) and trigger not in KINDS:
        return schedules.parse(trigger, zone, told)
    # A moment without a zone is of this zone, as in `at 2027-01-01T10:00`.
    in_zone = trigger in ("cron", "calendarinterval", "date") or not arguments.keys().isdisjoint(MOMENTS)
    options = {"timezone": zone, **arguments} if in_zone else dict(arguments)
    try:
        return make(trigger, options, lambda: clock.make_trigger(trigger, schedules.align(trigger, options)))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
        values = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise BadSetting(told, trigger, f"with {values}: {exc}" if values else str(exc)) from exc


def with_work_trigger(settings: Settings, job_id: str, schedule: str) -> BaseTrigger:
    """When runs of a job that has no slots begin: with work, at moments of a schedule, or by hand.

    Raises:
        BadSetting: the schedule is malformed.
    """
    name = f"{variable(job_id)}_SCHEDULE"
    given = settings.given(name)
    said, told = (schedule, f"the schedule of job {job_id}") if given is None else (given, name)
    if said.strip().lower() == WITH_WORK:
        return Paced()
    trigger = schedules.parse(said, settings.schedule_timezone, told)
    if isinstance(trigger, schedules.Unscheduled):
        if trigger.words == schedules.AFTER:
            raise BadSetting(told, said, f"give '{WITH_WORK}', 'every 5m', 'cron 0 2 * * *' or 'by hand'")
        return trigger
    return Paced(schedules.describe(trigger), trigger)


def _check_names(job_id: str, trigger: BaseTrigger | str | None, arguments: Mapping[str, Any]) -> None:
    kind = KINDS.get(trigger or "date") if isinstance(trigger, (str, type(None))) else None
    names = frozenset[str]() if kind is None else _arguments_of(kind)
    for name in sorted(arguments.keys() - names):
        near = difflib.get_close_matches(name, names | OPTIONS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "arguments of the task go into kwargs"
        why = f"neither add_job nor this trigger has the argument {name}; {hint}"
        raise BadSetting(f"the schedule of job {job_id}", trigger or "date", why)


@functools.cache
def _arguments_of(kind: type[BaseTrigger]) -> frozenset[str]:
    return frozenset(inspect.signature(kind).parameters)


def disabled_because(
    settings: Settings,
    job_id: str,
    enabled: bool | str,
    next_run_time: object = undefined,
    off: str = "add_job(enabled=False)",
) -> str:
    """Why a job is switched off, empty if it is not; the variable counts for more than what its line says.

    `enabled` is a text if the job cannot work: then the variable does not switch it on. `off` is the reason if the line
    switches it off.

    Raises:
        BadSetting: the variable is neither true nor false, or the line says neither.
    """
    if not isinstance(enabled, (bool, str)):
        raise BadSetting(f"enabled of job {job_id}", enabled, "give True, or False, or a text that says why not")
    name = f"{variable(job_id)}_ENABLED"
    value = settings.given(name)
    if value is not None and not is_true(name, value):
        return f"{name}={value}"
    if isinstance(enabled, str):
        return enabled if value is None or not enabled else f"{enabled}; {name}={value} does not change that"
    if value is not None:
        return ""
    if next_run_time is None:
        return "add_job(next_run_time=None)"
    return "" if enabled else off
