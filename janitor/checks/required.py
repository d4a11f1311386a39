"""The settings that a job cannot do without: a start is refused if such a setting is missing."""

from collections.abc import Iterable, Iterator

from janitor.errors import BadSetting
from janitor.jobs.job import Job
from janitor.jobs.variables import variable
from janitor.needs import ExchangeNeed, Need, ServiceNeed
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
    """Each setting that the jobs need and nobody gave, or whose value cannot be read, as an error that says so."""
    lacking: dict[tuple[str, str], dict[str, None]] = {}
    unreadable: dict[str, BadSetting] = {}
    for job in jobs:
        for need in job.needs:
            try:
                for setting in _lacking(settings, need):
                    lacking.setdefault(setting, {})[job.id] = None
            except BadSetting as exc:
                unreadable.setdefault(exc.name, exc)
    absent = [BadSetting(name, None, f"{_who(list(jobs_of))}; {help}") for (name, help), jobs_of in lacking.items()]
    return [*absent, *unreadable.values()]


def is_usable(settings: Settings, need: Need) -> bool:
    """Whether the settings of a need are given, and can be read."""
    try:
        return not list(_lacking(settings, need))
    except BadSetting:
        return False


def _lacking(settings: Settings, need: Need) -> Iterator[tuple[str, str]]:
    """The missing settings of a need, each with what to give."""
    if isinstance(need, ExchangeNeed):
        settings.value(need.setting)
        if settings.rabbitmq_host is None and settings.messages_dir is None:
            yield "RABBITMQ_HOST", BROKER_HELP
    elif isinstance(need, ServiceNeed):
        for name in need.settings:
            given = settings.value(name) if name in settings.known else settings.given(name)
            if given is None:
                yield name, _help(settings, name, need)
    elif settings.database(need.setting) is None:
        yield need.setting, URL_HELP


def _help(settings: Settings, name: str, need: ServiceNeed) -> str:
    """What to give for a variable of a service."""
    described = settings.known[name].description if name in settings.known else None
    return f"give {described or f'what {need.what} wants there'}"


def _who(jobs: list[str]) -> str:
    without = " and ".join(f"{variable(job)}_ENABLED=false" for job in jobs)
    return f"{' and '.join(jobs)} {'needs' if len(jobs) == 1 else 'need'} it ({without} would do without)"
