"""Whether the feeds that jobs follow stand where they were read: the feed's end against its cursor."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from janitor import databases
from janitor.checks.finding import Finding, ok, wrong
from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.needs import FeedNeed
from janitor.settings.settings import Settings
from janitor.state import State, cursors


def of_feed(settings: Settings, need: FeedNeed, jobs: str) -> Iterator[Finding]:
    """Look at the end of a feed, as the next run will; nothing is read besides, and nothing is written."""
    feed = need.feed(settings.needed(need.setting))
    where = f"{need.setting}: the feed {feed.name}"
    try:
        saved = _saved(settings, feed.name)
    except JanitorError:
        return  # the state database is away, and that is told already
    try:
        yield ok(f"{where} {feed.standing(saved)} ({jobs})")
    except JanitorError as exc:
        yield wrong(f"{need.setting}: {exc}")


def feeds_of(jobs: Iterable[Job]) -> dict[FeedNeed, str]:
    """Each feed that jobs follow, with the names of these jobs."""
    names: dict[FeedNeed, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, FeedNeed):
                names.setdefault(need, []).append(job.id)
    return {need: ", ".join(jobs_of) for need, jobs_of in names.items()}


def _saved(settings: Settings, name: str) -> str | None:
    """The cursor; None if the state database is not made yet."""
    url = settings.state_database_url
    if databases.family(url) == "sqlite" and not Path(url.database or "").exists():
        return None
    state = State(url, settings.connect_timeout_seconds, settings.login)
    try:
        if state.version() is None:
            return None
        with state.read() as connection:
            return cursors.load(connection, name)
    finally:
        state.close()
