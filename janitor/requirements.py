"""The settings without which a job cannot do anything: a start without one of them is refused."""

from collections.abc import Iterator

from janitor.errors import BadSetting
from janitor.jobs import Job, variable
from janitor.needs import ExchangeNeed
from janitor.settings import URL_HELP, Settings


def require(settings: Settings, job: Job) -> None:
    """Make sure that every setting that the job needs is given.

    Raises:
        BadSetting: one is missing; the error names it and the job.
    """
    for problem in missing(settings, job):
        raise problem


def missing(settings: Settings, job: Job) -> Iterator[BadSetting]:
    """Each setting that the job needs and that is not given, as an error that says so."""
    without = f"{variable(job.id)}_ENABLED=false would do without"
    for need in job.needs:
        if isinstance(need, ExchangeNeed):
            if settings.rabbitmq_host is None and settings.messages_dir is None:
                broker = "give the broker's host name, or a folder as MESSAGES_DIR"
                yield BadSetting("RABBITMQ_HOST", None, f"{job.id} needs it; {broker}; {without}")
        elif getattr(settings, need.setting.lower()) is None:
            yield BadSetting(need.setting, None, f"{job.id} needs it; {URL_HELP}; {without}")
