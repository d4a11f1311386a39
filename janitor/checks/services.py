"""Whether the other services that jobs need are there: queues, buckets, folders, servers."""

from collections.abc import Iterable, Iterator
from functools import partial

from janitor.checks.finding import Finding, note, ok, wrong
from janitor.errors import JanitorError, is_a, summary, text_of
from janitor.guard import foreign_code
from janitor.jobs.job import Job
from janitor.needs import ServiceNeed
from janitor.settings.settings import Settings


def of_service(settings: Settings, need: ServiceNeed, jobs: str) -> Iterator[Finding]:
    """Have a service looked at, and tell what is worth knowing."""
    sentences: list[str] = []
    # An inbox, a reply or a store may be anybody's.
    with foreign_code(partial(_wrong, need)) as looking:
        sentences += need.look(settings)
    if looking.instead is not None:
        yield looking.instead
        return
    yield ok(f"{need.what} is as it must be ({jobs})")
    yield from (note(f"{need.what}: {sentence}") for sentence in sentences)


def services_of(jobs: Iterable[Job]) -> dict[ServiceNeed, str]:
    """Each service that is needed, with the names of the jobs that need it."""
    names: dict[ServiceNeed, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, ServiceNeed):
                names.setdefault(need, []).append(job.id)
    return {need: ", ".join(dict.fromkeys(jobs_of)) for need, jobs_of in names.items()}


def _wrong(need: ServiceNeed, error: BaseException) -> Finding:
    return wrong(f"{need.what}: {text_of(error) if is_a(error, JanitorError) else summary(error)}")
