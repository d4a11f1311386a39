"""The load limit: long work waits while a server is busy with other people's statements."""

import logging
from collections.abc import Sequence

from sqlalchemy import URL, text

from janitor.databases import connections
from janitor.databases.places import family
from janitor.runs import current_run

PAUSE_SECONDS = 1.0

log = logging.getLogger(__name__)


def wait_while_busy(urls: Sequence[URL], limit: int | None) -> float:
    """Wait while a MySQL server runs more than `limit` threads; return how many seconds that took.

    If `limit` is None, nobody waits. SQLite files are passed over.

    Raises:
        DeadlineExceeded, Cancelled: while waiting, as the run's `check` does.
        Unavailable, Rejected, StatementTimeout: as `databases.read` does.
    """
    waited = 0.0
    while limit is not None and (busy := _busiest(urls)) > limit:
        if not waited:
            log.info("pausing: a server runs %d threads, over the limit of %d", busy, limit)
        current_run().sleep(PAUSE_SECONDS)
        waited += PAUSE_SECONDS
    return waited


def _busiest(urls: Sequence[URL]) -> int:
    return max((_threads_running(url) for url in urls if family(url) != "sqlite"), default=0)


def _threads_running(url: URL) -> int:
    with connections.read(url) as connection:
        row = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Threads_running'")).one()
        return int(row[1])
