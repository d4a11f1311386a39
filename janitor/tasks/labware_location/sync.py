"""The two movements: `follow` what changed, and `reconcile` the whole.

    follow      audits -> which labwares? -> their rows -> the sink writes what differs -> the cursor moves
    reconcile   all labwares as texts  \\
                                         pair equal texts -> what is left over is derived again, and written
                all rows as texts      /

Both writers take the lease of the task's name, so that neither puts back what the other has just replaced. The audit
with the highest id is the truth, whatever its date.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import URL, column

from janitor import memory
from janitor.databases import make_ahead, read_ahead, wait_while_busy
from janitor.feeds import Feed, Page, Reading
from janitor.runs import current_run
from janitor.settings import Settings
from janitor.table_sink import Compared, TableSink, TextPage, Unpaired, Written
from janitor.tasks.labware_location import rows
from janitor.tasks.labware_location.rows import Derived, Target
from janitor.tasks.labware_location.settings import LabwareLocationSettings

NAME = "labware_location"
LAG = timedelta(minutes=10)
PAGES_A_TURN = 20
"""How many pages of a snapshot are written before another writer, if it waits, gets its turn."""
PAGES_AT_ONCE = 2
"""How many pages of LabWhere reconcile reads at once: a single server thread makes texts slower than they compare."""
MOST_UNPAIRED = 50_000
"""How many rows of one side reconcile remembers while their counterparts are not read yet: some 15 MB."""
RECHECKED_A_TICK = 20
"""How many quarantined labwares a tick looks at again; those looked at longest ago come first."""

log = logging.getLogger(__name__)


def follow(settings: Settings) -> dict[str, int]:
    """Bring the table up to date with every audit since the last run; the first run walks all labwares.

    Each page is committed by itself. A run that is cut off goes on where it stopped; a repeated run writes nothing.

    Raises:
        Unavailable, Rejected: a server is away or says no; the cursor stays before what was not written.
        Rejected: LabWhere went backwards; nothing is written.
    """
    sync = Sync(settings)
    sync.reading = reading = sync.feed.open() or sync.feed.begin_at_end(snapshot=True)
    if reading.position.snapshot_after is not None:
        sync.take_snapshot(reading)
    else:
        sync.recheck()
    for page in reading.pages():
        sync.follow_page(page)
    return sync.counts("audits", "labwares", "inserted", "updated", "unchanged", "without_audit")


def reconcile(settings: Settings) -> dict[str, int]:
    """Compare every labware with the table and repair what differs; in a dry run only count.

    Both sides are read once, as texts that the servers make; only labwares without an equal row are derived. If
    LOAD_LIMIT_THREADS_RUNNING is set, reconcile pauses while a server is busy. If LABWARE_LOCATION_DELETE_ORPHANS is
    true, it deletes the rows of labware that is gone.

    Raises:
        Unavailable, Rejected: a server is away or says no; the pages before are repaired.
        Rejected: LabWhere went backwards; nothing more is written.
    """
    sync = Sync(settings)
    sync.feed.open()
    sync.walk()
    found = {"missing": sync.totals["inserted"], "different": sync.totals["updated"]}
    repaired = 0 if current_run().dry_run else sum(found.values())
    sync.totals.update(found, repaired=repaired)
    # A labware that is derived again was counted already, on the walk.
    sync.totals["without_audit"] = sync.totals["walked_without_audit"]
    return sync.counts("checked", "missing", "different", "repaired", "orphaned", "deleted", "without_audit")


def audits(url: URL) -> Feed:
    """LabWhere's feed of changes."""
    fixed = ("auditable_type", "auditable_id", "updated_at")
    return Feed(NAME, url, "audits", "id", [column(name) for name in fixed], LAG, fixed=fixed)


def target(url: URL) -> TableSink:
    """MLWH's table of locations."""
    return TableSink(
        url,
        table="labware_location",
        key="labware_barcode",
        columns=Target._fields,
        owner={"lims_id": "LabWhere"},
        twins_by="stored_at",
        created_at="created_at",
        updated_at="updated_at",
    )


class Sync:
    """A run: its source, its sink, and what it has counted."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet."""
        self.source, destination = settings.needed("LABWHERE_DATABASE_URL"), settings.needed("MLWH_DATABASE_URL")
        self.settings, self.feed = settings.of(LabwareLocationSettings), audits(self.source)
        self.urls, self.sink = (self.source, destination), target(destination)
        self.quarantine = memory.Quarantine(NAME)
        self.totals: Counter[str] = Counter()
        self.reading: Reading | None = None

    def counts(self, *names: str) -> dict[str, int]:
        """What the run did, and how many labwares are in quarantine now."""
        return {name: self.totals[name] for name in names} | {"quarantined": len(self.quarantine)}

    def take_snapshot(self, reading: Reading) -> None:
        """Walk all labwares, from the first or from the place where the snapshot was cut off."""
        walk = rows.spans(self.source, reading.position.snapshot_after or rows.BEFORE_ALL)
        while turn := list(islice(walk, PAGES_A_TURN)):
            # Whoever waits to write gets a turn between the batches.
            with self._alone():
                self._check_source()
                for span, derived in read_ahead(rows.of_spans(self.source, turn)):
                    self.deliver(derived, span.labwares, mostly_new=True)
                    reading.save_snapshot(span.last)
                    current_run().progress(self.totals["labwares"], note=f"snapshot, up to labware {span.last}")
        reading.save_snapshot(None)

    def recheck(self) -> None:
        """Look again at some labwares in quarantine: they may have become valid without an audit."""
        oldest = set(memory.checked_longest_ago(NAME, RECHECKED_A_TICK))
        hopeless: set[tuple[str, str]] = set()
        for derived in rows.of_labwares(self.source, {int(item) for _, item in oldest}):
            hopeless |= oldest & {(row.key, row.item) for row in derived.rejected}
        memory.looked_at(NAME, hopeless)
        self.deliver_labwares({int(item) for _, item in oldest - hopeless})

    def follow_page(self, page: Page) -> None:
        """Deliver the labwares that a page of audits touches, then move the cursor."""
        kinds: dict[str, set[int]] = {"Labware": set(), "Location": set()}
        for audit in page.rows:
            kinds.get(audit.auditable_type, set()).add(audit.auditable_id)
        touched = kinds["Labware"] - {None}
        for location_id in sorted(kinds["Location"] - {None}):
            for labware_ids in rows.standing_in(self.source, location_id):
                self.deliver_labwares(set(labware_ids) - touched)
        self.deliver_labwares(touched)
        page.confirm()
        self.totals["audits"] += len(page.rows)

    def deliver_labwares(self, labware_ids: set[int]) -> None:
        """Derive and deliver these labwares."""
        if labware_ids:
            with self._alone():
                for derived in rows.of_labwares(self.source, labware_ids):
                    self._check_source()
                    self.deliver(derived, len(derived.checked))

    def deliver(self, derived: Derived, labwares: int, mostly_new: bool = False) -> None:
        """Write the rows that differ, and put into quarantine the rows that cannot be written."""
        written: Written | Compared
        if current_run().dry_run:
            written = self.sink.compare(derived.rows)
            self.totals.update(inserted=written.missing, updated=written.different)
        else:
            written = self.sink.write(derived.rows, datetime.now(timezone.utc), mostly_new=mostly_new)
            self.totals.update(inserted=written.inserted, updated=written.updated)
        refused = [derived.refused(row.key, row.reason) for row in written.refused]
        for news in self.quarantine.settle({str(id) for id in derived.checked}, [*derived.rejected, *refused]):
            log.warning("in quarantine: %s", news.reason)
        self.totals.update(unchanged=written.unchanged, labwares=labwares, without_audit=derived.without_audit)

    def walk(self) -> None:
        """Compare every labware with the table, page by page, and deliver each labware that is stored differently."""
        unpaired = Unpaired(wanted_apart=self._quarantined())
        found = read_ahead(self.sink.stored())
        for span, wanted in self._wanted():
            self.totals.update(checked=span.labwares, walked_without_audit=max(0, span.labwares - len(wanted)))
            unpaired.want(wanted)
            # Both sides come in about the same order; the side that is ahead waits for the other.
            if len(unpaired.stored) <= len(unpaired.wanted):
                unpaired.find(next(found, TextPage()))
            self._between_pages(unpaired, f"up to labware {span.last}")
        for page in found:
            unpaired.find(page)
            self._between_pages(unpaired, "to the table's end")
        self._settle(unpaired)

    def _wanted(self) -> Iterator[tuple[rows.Span, TextPage]]:
        """The texts of all labwares; with a load limit, a single page is read at a time."""
        at_once = PAGES_AT_ONCE if self.settings.load_limit_threads_running is None else 1
        texts = partial(rows.texts_of_span, self.source, self.sink)
        return make_ahead(texts, read_ahead(rows.spans(self.source)), at_once)

    def _between_pages(self, unpaired: Unpaired, note: str) -> None:
        if max(len(unpaired.wanted), len(unpaired.stored)) > MOST_UNPAIRED:
            self._settle(unpaired)
        current_run().progress(self.totals["checked"], note=note)
        wait_while_busy(self.urls, self.settings.load_limit_threads_running)

    def _quarantined(self) -> list[int]:
        return [int(item) for page in memory.quarantined(NAME) for _, item in page]

    def _settle(self, unpaired: Unpaired) -> None:
        """Deliver each labware without an equal row, and count each row without a labware."""
        wanted, stored = unpaired.take_wanted(), unpaired.take_stored()
        for labware_ids in _chunks(sorted(set(wanted.apart))):
            self._deliver_late(set(labware_ids))
        for barcodes in _chunks(self.sink.keys_of(wanted)):
            self._deliver_late(set(rows.with_barcodes(self.source, barcodes)))
        for barcodes in _chunks([*self.sink.keys_of(stored), *stored.apart]):
            self._count_orphans(barcodes)

    def _deliver_late(self, labware_ids: set[int]) -> None:
        self.deliver_labwares(labware_ids)
        wait_while_busy(self.urls, self.settings.load_limit_threads_running)

    def _count_orphans(self, barcodes: Sequence[str]) -> None:
        """Count the rows whose labware is gone, and delete them if that is allowed."""
        orphans = self._orphans(barcodes)
        self.totals["orphaned"] += len(orphans)
        if orphans and self.settings.labware_location_delete_orphans and not current_run().dry_run:
            with self._alone():
                # A labware with such a barcode may have come since.
                gone = self._orphans(orphans)
                self._check_source()
                self.totals["deleted"] += self.sink.delete(gone)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other run write from the reading of LabWhere to the writing of what was read.

        Else a slow reconcile could put back what follow has just replaced.
        """
        with nullcontext() if current_run().dry_run else memory.exclusively(NAME):
            yield

    def _check_source(self) -> None:
        """Make sure that LabWhere had not gone backwards when it was read: else nothing of that is written.

        Raises:
            Rejected: it has.
        """
        if self.reading is None:
            # Follow may have read on since, so the cursor is asked for each time.
            self.feed.open()
        else:
            self.feed.check(self.reading.position)

    def _orphans(self, barcodes: Sequence[str]) -> list[str]:
        known = {barcode.casefold() for barcode in rows.with_barcodes(self.source, barcodes).values()}
        return [barcode for barcode in barcodes if barcode.casefold() not in known]


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), rows.PAGE_ROWS):
        yield values[start : start + rows.PAGE_ROWS]
