"""The settings that a job cannot do without: a start is refused if such a setting is missing."""

from collections.abc import Iterable

from janitor.errors import BadSetting
from janitor.jobs.job import Job
from janitor.jobs.variables import variable
from janitor.needs import ExchangeNeed, Need
from janitor.settings.database_urls import URL_HELP
from janitor.settings.settings import Settings

BROKER_HELP = "give the broker's host name, or a folder as MESSAGES_DIR"


def require(settings: Settings, jobs: Iterable[Job]) -> None:
    """Make sure that every setting that these jobs need is given.

    Raises:
        BadSetting: a setting is missing; the error names it and the jobs.
    """
    for problem in missing(settings, jobs):
        raise problem


def missing(settings: Settings, jobs: Iterable[Job]) -> list[BadSetting]:
    """Each setting that the jobs need and nobody gave, as an error that says so."""
    lacking: dict[tuple[str, str], dict[str, None]] = {}
    for job in jobs:
        for need in job.needs:
            if (setting := _lacking(settings, need)) is not None:
                lacking.setdefault(setting, {})[job.id] = None
    return [BadSetting(name, None, f"{_who(list(jobs_of))}; {help}") for (name, help), jobs_of in lacking.items()]


def _lacking(settings: Settings, need: Need) -> tuple[str, str] | None:
    """The missing setting of a need, and what to give; None if it is given."""
    if isinstance(need, ExchangeNeed):
        settings.value(need.setting)
        given = settings.rabbitmq_host is not None or settings.messages_dir is not None
        return None if given else ("RABBITMQ_HOST", BROKER_HELP)
    return None if settings.database(need.setting) is not None else (need.setting, URL_HELP)


def _who(jobs: list[str]) -> str:
    without = " and ".join(f"{variable(job)}_ENABLED=false" for job in jobs)
    return f"{' and '.join(jobs)} {'needs' if len(jobs) == 1 else 'need'} it ({without} would do without)"
