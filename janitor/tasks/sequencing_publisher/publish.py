"""The two movements: `follow` what changed, and `reconcile` the last days.

    statuses -> parts of each run -> changes: a message for each sample and labware
             -> without those in the ledger -> confirmed, a window at a time -> the ledger -> the cursor

Both publish under the lease of the task's name. A message is in the ledger as soon as it is confirmed. So
neither the other movement nor a repeated run publishes it again. `delivery.py` tells what happens to a message.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import URL, ColumnClause, DateTime, Integer, Row, column

from janitor import memory
from janitor.feeds import Feed, Page, Position, Reading
from janitor.publisher import Publisher, Schema, open_publisher
from janitor.runs import current_run
from janitor.settings import Settings
from janitor.tasks.sequencing_publisher import parts
from janitor.tasks.sequencing_publisher.changes import SCHEMA, Deriver, StatusChanges, undated
from janitor.tasks.sequencing_publisher.delivery import NAME, Delivered, Delivery
from janitor.tasks.sequencing_publisher.settings import SequencingPublisherSettings

MESSAGE_TYPE = "sample_sequence_status"
LAG = timedelta(hours=24)
WINDOW = timedelta(days=14)
LEDGER_AGE = 3 * WINDOW + timedelta(days=1)
RUNS_AT_ONCE = 20
BATCH_CHANGES = 2_000
BACK_ROWS = 1_000
PAGES_WITHOUT = 20
"""After how many pages without a recent status the search ends; old statuses may have been loaded after recent ones."""

log = logging.getLogger(__name__)

Only = Mapping[int, frozenset[str] | None]


def follow(settings: Settings) -> dict[str, int]:
    """Publish the messages of each run status that came since the last run, each confirmed.

    The first run begins at the feed's end, or at SEQUENCING_PUBLISHER_SINCE. The cursor moves over a status once it is
    wholly published or waits in quarantine. A repeated run publishes nothing that the ledger holds.

    Raises:
        Unavailable, Rejected: a server is away or says no; the next run goes on with what was not confirmed.
        Rejected: MLWH went backwards; nothing is published.
    """
    with _publication(settings) as publication:
        for page in publication.begin().pages():
            publication.follow_page(page)
        publication.delivery.finish()
        return publication.counts()


def reconcile(settings: Settings) -> dict[str, int]:
    """Derive the last 14 days again, and publish what is not as the ledger has it: what came late, or changed.

    Statuses that wait in quarantine are looked at again, however old. The ledger is pruned to 43 days.

    Raises:
        Unavailable, Rejected: a server is away or says no; the next run does the rest.
        Rejected: MLWH went backwards; nothing is published.
    """
    with _publication(settings) as publication:
        position = publication.begin().position
        recent = list(publication.recent(datetime.now(timezone.utc) - WINDOW))
        publication.feed.check(position)
        waiting = publication.waiting(recent)
        publication.publish_statuses(publication.wanted(recent, position))
        again = publication.entitled(publication.by_ids(waiting))
        publication.feed.check(position)
        publication.publish_statuses(again, waiting)
        publication.let_go(waiting.keys() - {row.id_run_status for row in again})
        memory.forget_published(NAME, LEDGER_AGE)
        publication.delivery.finish()
        return publication.counts()


def statuses(url: URL) -> Feed:
    """MLWH's feed of run statuses."""
    columns: tuple[ColumnClause[Any], ...] = (
        column("id_run"),
        column("date", DateTime()),
        column("id_run_status_dict"),
    )
    # The date of a status may be corrected.
    return Feed(NAME, url, "iseq_run_status", "id_run_status", columns, LAG, fixed=("id_run", "id_run_status_dict"))


@contextmanager
def _publication(settings: Settings) -> "Iterator[Publication]":
    schema = Schema.load(parts.PACKAGE, SCHEMA)
    own = settings.of(SequencingPublisherSettings)
    with open_publisher(
        settings,
        schema,
        exchange=own.sequencing_publisher_exchange,
        subject=MESSAGE_TYPE,
        message_type=MESSAGE_TYPE,
        encoding=own.sequencing_publisher_encoding,
        unroutable=own.sequencing_publisher_unroutable,
        if_unroutable="bind one, or set SEQUENCING_PUBLISHER_UNROUTABLE=drop",
    ) as publisher:
        yield Publication(settings, schema, publisher)


class Publication:
    """A run: its sources, its publisher, and what it has counted."""

    def __init__(self, settings: Settings, schema: Schema, publisher: Publisher) -> None:
        """Nothing is connected yet."""
        self.mlwh, self.events = settings.needed("MLWH_DATABASE_URL"), settings.needed("MLWH_EVENTS_DATABASE_URL")
        self.settings = settings.of(SequencingPublisherSettings)
        self.feed, self.deriver = statuses(self.mlwh), Deriver(schema, self.settings.mlwh_timezone)
        self.quarantine = memory.Quarantine(NAME)
        self.totals: Counter[str] = Counter()
        self.delivery = Delivery(publisher, self.settings.sequencing_publisher_group_size, self.totals)

    def counts(self) -> dict[str, int]:
        """What the run did, and how many samples are in quarantine now."""
        names = ("statuses", "published", "already_published", "without_manifest")
        return {name: self.totals[name] for name in names} | {"quarantined": len(self.quarantine)}

    def begin(self) -> Reading:
        """Go on at the cursor; without a cursor, begin at the feed's end, or at its start if a first day is set."""
        reading = self.feed.open()
        if reading is not None:
            return reading
        with memory.exclusively(NAME):
            begun = self.feed.open()
            if begun is not None:
                return begun
            since = self.settings.sequencing_publisher_since
            return self.feed.begin_at_end() if since is None else self.feed.begin_at_start()

    def follow_page(self, page: Page) -> None:
        """Publish a page of statuses, and move the cursor over each status that is wholly published."""
        wanted = self.entitled(page.rows)
        unwanted = {row[0] for row in page.rows} - {row[0] for row in wanted}
        page.confirm(unwanted)
        self.publish_statuses(wanted, page=page)

    def recent(self, since: datetime) -> Iterator[Row[Any]]:
        """The statuses set since a moment, read backwards by id, until many pages on end have none."""
        before = since.astimezone(self.settings.mlwh_timezone).replace(tzinfo=None)
        last: int | None = None
        without = 0
        while without < PAGES_WITHOUT:
            page = self.feed.back_from(last, BACK_ROWS)
            found = [row for row in page if isinstance(row.date, datetime) and row.date >= before]
            yield from found
            if len(page) < BACK_ROWS:
                return
            without = 0 if found else without + 1
            last = page[-1].id_run_status

    def wanted(self, rows: Iterable[Row[Any]], position: Position) -> list[Row[Any]]:
        """The statuses to publish: set on the first day or later, and not there before the first run."""
        news = (row for row in self.entitled(rows) if row.id_run_status not in position.origin)
        return sorted(news, key=lambda row: (row.id_run, row.id_run_status))

    def waiting(self, recent: Iterable[Row[Any]]) -> Only:
        """The statuses in quarantine that are not recent, each with the samples that wait for it."""
        known = {row.id_run_status for row in recent}
        found: dict[int, set[str]] = {}
        for page in memory.quarantined(NAME):
            for sample_uuid, item in page:
                if int(item) not in known:
                    found.setdefault(int(item), set()).add(sample_uuid)
        # A status that waits for its own date waits with all its samples.
        whole = {id_run_status for id_run_status, keys in found.items() if undated(id_run_status) in keys}
        return {id: None if id in whole else frozenset(samples) for id, samples in found.items()}

    def entitled(self, rows: Iterable[Row[Any]]) -> list[Row[Any]]:
        """The statuses that were set on the first day or later; all, if no first day is set."""
        since = self.settings.sequencing_publisher_since
        return [row for row in rows if since is None or not isinstance(row.date, datetime) or row.date.date() >= since]

    def let_go(self, ids: Iterable[int]) -> None:
        """Take these statuses out of quarantine: they are gone, or need not be published any more."""
        items = {str(id) for id in ids}
        self.quarantine.settle(items, [])
        self.delivery.forget(items)

    def by_ids(self, ids: Iterable[int]) -> list[Row[Any]]:
        """The statuses with these ids."""
        wanted, id_column = sorted(ids), column("id_run_status", Integer())
        pages = (wanted[start : start + BACK_ROWS] for start in range(0, len(wanted), BACK_ROWS))
        return [row for page in pages for row in self.feed.rows(id_column.in_(page))]

    def publish_statuses(self, rows: Sequence[Row[Any]], only: Only | None = None, page: Page | None = None) -> None:
        """Publish the messages of these statuses, in batches of bounded size."""
        batch: list[StatusChanges] = []
        for status in self._derived(rows, only or {}):
            batch.append(status)
            if sum(len(status.changes) for status in batch) >= BATCH_CHANGES or len(batch) >= BATCH_CHANGES:
                self._publish_batch(batch, page)
                batch = []
                current_run().progress(self.totals["statuses"], note=f"{self.totals['published']} messages published")
        self._publish_batch(batch, page)

    def _derived(self, rows: Sequence[Row[Any]], only: Only) -> Iterator[StatusChanges]:
        for chunk in _by_runs(rows):
            run_parts = parts.of_runs(self.mlwh, self.events, (row.id_run for row in chunk))
            for row in chunk:
                yield self.deriver.of_status(row, run_parts.get(row.id_run, ()), only.get(row.id_run_status))

    def _publish_batch(self, batch: Sequence[StatusChanges], page: Page | None) -> None:
        if not batch:
            return
        delivered = Delivered()
        try:
            self.delivery.deliver([change for status in batch for change in status.changes], delivered)
        finally:
            self._settle([status for status in batch if delivered.is_whole(status)], delivered, page)

    def _settle(self, whole: Sequence[StatusChanges], delivered: Delivered, page: Page | None) -> None:
        rejected = [row for one in whole for row in (*one.rejected, *delivered.in_quarantine(one))]
        for news in self.quarantine.settle({str(one.id_run_status) for one in whole}, rejected):
            log.warning("in quarantine: %s", news.reason)
        if page is not None:
            page.confirm(one.id_run_status for one in whole)
        self.totals["statuses"] += len(whole)
        self.totals["without_manifest"] += sum(one.without_manifest for one in whole)


def _by_runs(rows: Sequence[Row[Any]]) -> Iterator[list[Row[Any]]]:
    """The rows in their order, in chunks that name at most 20 runs each."""
    chunk: list[Row[Any]] = []
    runs: set[int] = set()
    for row in rows:
        if row.id_run not in runs and len(runs) == RUNS_AT_ONCE:
            yield chunk
            chunk, runs = [], set()
        chunk.append(row)
        runs.add(row.id_run)
    if chunk:
        yield chunk
