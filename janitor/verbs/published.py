"""What jobs publish, read back as JSON lines."""

from collections.abc import Iterable, Iterator

import orjson

from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.needs import ExchangeNeed
from janitor.publisher.avro import Schema
from janitor.publisher.listener import listen
from janitor.settings.settings import Settings


def lines(settings: Settings, jobs: Iterable[Job], limit: int | None = None) -> Iterator[str]:
    """Each row that is published from now on, to the exchange that the jobs publish to, as one line of JSON.

    Raises:
        JanitorError: no job publishes anything that could be read.
        BadSetting, Unavailable, Rejected: the broker cannot be reached, or the exchange does not exist.
    """
    needs = [need for job in jobs for need in job.needs if isinstance(need, ExchangeNeed) and need.schema is not None]
    if not needs:
        raise JanitorError("no job publishes messages whose schema is known")
    setting, (package, path) = needs[0].setting, needs[0].schema or ("", "")
    exchange = str(getattr(settings, setting.lower()))
    for item in listen(settings, Schema.load(package, path), exchange, limit=limit):
        yield orjson.dumps(item, default=str).decode()
