"""What the environment says of a job in place of its line: `<ID>_SCHEDULE` and `<ID>_ENABLED`."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import undefined

from janitor.engine.clock import Clock
from janitor.errors import BadSetting
from janitor.jobs import schedules
from janitor.jobs.variables import is_true, variable
from janitor.settings.settings import Settings


def trigger_of(
    clock: Clock, settings: Settings, job_id: str, trigger: BaseTrigger | str | None, arguments: Mapping[str, Any]
) -> BaseTrigger:
    """When a job is due: as its variable says, in words, or as APScheduler's `add_job` takes it.

    Raises:
        BadSetting: the schedule is malformed.
    """
    name = f"{variable(job_id)}_SCHEDULE"
    zone: tzinfo = settings.schedule_timezone
    if name in settings.environ:
        return schedules.parse(settings.environ[name], zone, name)
    if isinstance(trigger, str) and (" " in trigger or trigger == schedules.AFTER) and not arguments:
        return schedules.parse(trigger, zone, f"the schedule of job {job_id}")
    given = {"timezone": zone, **arguments} if trigger == "cron" else dict(arguments)
    try:
        return clock.make_trigger(trigger, schedules.align(trigger, given))
    except (TypeError, ValueError, LookupError) as exc:
        raise BadSetting(f"the schedule of job {job_id}", trigger, f"{exc}; {schedules.HELP}") from exc


def disabled_because(settings: Settings, job_id: str, enabled: bool | str) -> str:
    """Why a job is switched off, empty if it is not; `enabled` is what its line says, the variable counts for more.

    Raises:
        BadSetting: the variable is neither true nor false.
    """
    name = f"{variable(job_id)}_ENABLED"
    value = settings.environ.get(name)
    if value is not None and not is_true(name, value):
        return f"{name}={value}"
    if isinstance(enabled, str):
        return enabled
    return "" if enabled else "add_job(enabled=False)"


def check_clock_options(job_id: str, max_instances: object, coalesce: object) -> None:
    """Refuse what APScheduler's `add_job` takes and a recorded job cannot have.

    Raises:
        BadSetting: runs were to overlap, or each lost slot was to run.
    """
    if max_instances not in (undefined, 1):
        raise BadSetting(f"max_instances of job {job_id}", max_instances, "leave it out: runs never overlap")
    if coalesce is False:
        raise BadSetting(f"coalesce of job {job_id}", coalesce, "leave it out: lost slots run once, or not at all")
