"""The settings that are in force for one job, as a person may see them."""

from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr
from sqlalchemy import URL

from janitor import databases
from janitor.jobs.job import Job
from janitor.jobs.variables import variable
from janitor.logs.mask import mask_for
from janitor.needs import DatabaseNeed
from janitor.settings.settings import Settings
from janitor.web.queries.models import SettingLine

HIDDEN = "***"
BROKER = ("RABBITMQ_HOST", "RABBITMQ_PORT", "RABBITMQ_VHOST", "RABBITMQ_USERNAME", "RABBITMQ_PASSWORD", "RABBITMQ_TLS")


def in_force(job: Job, all_jobs: Iterable[str], settings: Settings) -> list[SettingLine]:
    """The job's switch and schedule, what its `needs` name, and the settings that begin with its name, or with that of
    the job that it belongs to: `report` for `report_by_week`.

    Of a database URL only the place is told, and of a secret only whether there is one.
    """
    mask = mask_for(settings)
    lines = [_own(job, "ENABLED", str(job.enabled).lower(), settings), _own(job, "SCHEDULE", job.schedule, settings)]
    for name in _names(job, all_jobs, settings):
        text, description = mask(_shown(settings.value(name))), settings.known[name].description or ""
        lines.append(SettingLine(name=name, value=text, given=name in settings.environ, description=description))
    return lines


def _own(job: Job, ending: str, value: str, settings: Settings) -> SettingLine:
    name = f"{variable(job.id)}_{ending}"
    what = {"ENABLED": "whether the job runs: true or false", "SCHEDULE": "when the job runs: every 5m, cron 0 2 * * *"}
    return SettingLine(name=name, value=value, given=name in settings.environ, description=what[ending])


def _names(job: Job, all_jobs: Iterable[str], settings: Settings) -> list[str]:
    names = list[str]()
    for need in job.needs:
        names.append(need.setting)
        if isinstance(need, DatabaseNeed):
            names += need.deletes.values()
        else:
            names += ["MESSAGES_DIR"] if settings.messages_dir is not None else BROKER
    family = [variable(other) for other in all_jobs if job.id == other or job.id.startswith(f"{other}_")]
    names += [name for name in settings.known if name.startswith(tuple(f"{prefix}_" for prefix in family))]
    return list(dict.fromkeys(name for name in names if name in settings.known))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, URL):
        return databases.place(value)
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
