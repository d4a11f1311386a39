"""Whether the exchanges that jobs publish to are there, and the brokers that have them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from janitor.checks.encryption import broker_secured_by
from janitor.checks.finding import Finding, ok, wrong
from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.needs import ExchangeNeed
from janitor.settings.paths import shown
from janitor.settings.settings import Settings


def of_exchange(settings: Settings, need: ExchangeNeed, jobs: str, declare: bool) -> Iterator[Finding]:
    """Look at the exchange that a setting names, at each host that has it, or at the folder that stands in for it."""
    if settings.messages_dir is not None:
        yield _of_folder(settings.messages_dir, jobs)
        return
    # Pika takes a sixth of a second to import.
    from janitor.rabbitmq.exchange import Exchange
    from janitor.rabbitmq.exchanges import declare_exchange, inspect_exchange
    from janitor.rabbitmq.peer import Peer

    try:
        exchange = Exchange(str(settings.value(need.setting)), need.type)
        peers = Peer.each_of(settings)
        if declare:
            declare_exchange(settings, exchange)
    except JanitorError as exc:
        yield wrong(f"{need.setting}: {exc}")
        return
    for peer in peers:
        try:
            said = inspect_exchange(settings, exchange, peer)
            secured = broker_secured_by(settings)
            yield ok(f"{need.setting}: exchange {exchange.name!r} at {peer}: {said}, {secured} ({jobs})")
        except JanitorError as exc:
            yield wrong(f"{need.setting}: {exc}")


def needs_of(jobs: Iterable[Job]) -> dict[ExchangeNeed, str]:
    """Each exchange that is needed, with the names of the jobs that publish there."""
    names: dict[ExchangeNeed, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, ExchangeNeed):
                names.setdefault(ExchangeNeed(need.setting, type=need.type), []).append(job.id)
    return {need: ", ".join(jobs_of) for need, jobs_of in names.items()}


def _of_folder(folder: Path, jobs: str) -> Finding:
    # This module imports fastavro.
    from janitor.publisher.to_folder import check_folder

    try:
        return ok(f"MESSAGES_DIR: the folder {shown(folder)} for messages {check_folder(folder)} ({jobs})")
    except JanitorError as exc:
        return wrong(f"MESSAGES_DIR: {exc}")
