"""The settings that are in force for one job, as a person may see them."""

from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr
from sqlalchemy import URL

from janitor import databases
from janitor.jobs.job import Job
from janitor.jobs.variables import variable
from janitor.logs.mask import mask_for
from janitor.needs import DatabaseNeed, ExchangeNeed, ServiceNeed
from janitor.settings.settings import Settings
from janitor.web.queries.models import SettingLine

HIDDEN = "***"
BROKER = ("RABBITMQ_HOST", "RABBITMQ_PORT", "RABBITMQ_VHOST", "RABBITMQ_USERNAME", "RABBITMQ_PASSWORD", "RABBITMQ_TLS")
OWN = {"ENABLED": "whether the job runs: true or false", "SCHEDULE": "when the job runs: every 5m, cron 0 2 * * *"}


def in_force(job: Job, all_jobs: Iterable[str], settings: Settings) -> list[SettingLine]:
    """The job's switch and schedule, the settings that its `needs` name, and the settings that begin with its name.

    A job that belongs to another, as `report_by_week` to `report`, has the other's settings too.
    Of a database's URL only the place is told; of a secret, only whether there is one.
    """
    mask = mask_for(settings)
    own = {"ENABLED": str(job.enabled).lower(), "SCHEDULE": job.schedule}
    found = [(f"{variable(job.id)}_{ending}", value, OWN[ending]) for ending, value in own.items()]
    for name in _names(job, all_jobs, settings):
        found.append((name, mask(_shown(settings.value(name))), settings.known[name].description or ""))
    return [
        SettingLine(name=name, value=value, given=name in settings.environ, description=description)
        for name, value, description in found
    ]


def _names(job: Job, all_jobs: Iterable[str], settings: Settings) -> list[str]:
    names = list[str]()
    for need in job.needs:
        names += need.settings if isinstance(need, ServiceNeed) else [need.setting]
        if isinstance(need, DatabaseNeed):
            names += need.deletes.values()
        elif isinstance(need, ExchangeNeed):
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
