"""Whether the exchanges that jobs publish to are there."""

from collections.abc import Iterable, Iterator

from janitor.checks.encryption import broker_secured_by
from janitor.checks.finding import Finding, ok, wrong
from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.needs import ExchangeNeed
from janitor.settings.paths import shown
from janitor.settings.settings import Settings


def of_exchange(settings: Settings, setting: str, jobs: str, declare: bool) -> Iterator[Finding]:
    """Look at the exchange that a setting names, or at the folder that stands in for it."""
    # Pika takes a sixth of a second to import.
    from janitor.publisher.to_folder import check_folder
    from janitor.rabbitmq.exchanges import declare_exchange, inspect_exchange

    try:
        if settings.messages_dir is not None:
            said = check_folder(settings.messages_dir)
            yield ok(f"MESSAGES_DIR: the folder {shown(settings.messages_dir)} for messages {said} ({jobs})")
            return
        exchange = str(settings.value(setting))
        if declare:
            declare_exchange(settings, exchange)
        said = inspect_exchange(settings, exchange)
        place = f"{settings.rabbitmq_host}:{settings.rabbitmq_port}, virtual host {settings.rabbitmq_vhost!r}"
        yield ok(
            f"{setting}: exchange {exchange!r} at RabbitMQ {place}: {said}, {broker_secured_by(settings)} ({jobs})"
        )
    except JanitorError as exc:
        yield wrong(f"{'MESSAGES_DIR' if settings.messages_dir is not None else setting}: {exc}")


def exchanges_of(jobs: Iterable[Job]) -> dict[str, str]:
    """Each setting that names an exchange, with the names of the jobs that publish there."""
    names: dict[str, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, ExchangeNeed):
                names.setdefault(need.setting, []).append(job.id)
    return {setting: ", ".join(jobs_of) for setting, jobs_of in names.items()}
