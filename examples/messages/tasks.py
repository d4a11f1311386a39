"""The task: publish each new scan as an Avro message, once."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Any

from sqlalchemy import DateTime, Row, column, make_url

from janitor import memory
from janitor.feeds import Feed
from janitor.memory import Quarantine, Quarantined
from janitor.publisher import Publisher, Schema, open_publisher
from janitor.runs import current_run
from janitor.settings import Settings

NAME = "parcel_messages"
MESSAGE_TYPE = "parcel_scanned"
GROUP_ROWS = 100
LATE = timedelta(minutes=10)
"""How late a scan may commit after a scan with a higher id was read."""
REMEMBERED = timedelta(days=90)

log = logging.getLogger(__name__)


def publish(settings: Settings, database: str, exchange: str) -> dict[str, int]:
    """Publish each scan that came since the last run; the first run begins with the first scan.

    The ledger holds what has been published, so a cursor that is set back publishes nothing again. A crash between
    the broker's answer and the ledger repeats at most one window; its messages have the same ids as before.
    """
    columns = [column("parcel"), column("place"), column("scanned_at", DateTime())]
    feed = Feed(NAME, make_url(database), "scans", "id", columns, lag=LATE, page_rows=GROUP_ROWS)
    reading = feed.open() or feed.begin_at_start()
    done = Counter[str]()
    with open_publisher(
        settings,
        schema(),
        exchange=exchange,
        subject=MESSAGE_TYPE,
        message_type=MESSAGE_TYPE,
        encoding="binary",
        unroutable="fail",
    ) as publisher:
        waiting = [int(item) for _, item in memory.checked_longest_ago(NAME, GROUP_ROWS)]
        done += _deliver(publisher, waiting, feed.rows(column("id").in_(waiting)))
        for page in reading.pages():
            done += _deliver(publisher, [scan.id for scan in page.rows], page.rows)
            page.confirm()
            current_run().progress(done["published"])
    memory.forget_published(NAME, REMEMBERED)
    return {name: done[name] for name in ("published", "already_published")} | {"quarantined": len(Quarantine(NAME))}


def schema() -> Schema:
    """The schema of the messages; its file is read once."""
    return Schema.load("examples.messages", "parcel_scanned.avsc")


def _deliver(publisher: Publisher, ids: Sequence[int], scans: Sequence[Row[Any]]) -> Counter[str]:
    """Publish what the ledger does not hold; a scan that the schema or the broker refuses waits in quarantine."""
    fitting, bad, published = dict[bytes, dict[str, object]](), list[Quarantined](), 0
    for scan in scans:
        record = _record(scan)
        if problem := schema().problem(record):
            bad.append(Quarantined(f"scan {scan.id}", problem, str(scan.id)))
        else:
            fitting[schema().digest(record)] = record
    known = memory.published(NAME, list(fitting))
    news = {digest: record for digest, record in fitting.items() if digest not in known}
    if not current_run().dry_run:
        digests, records = list(news), list(news.values())
        for settled in publisher.publish_each(records, window=GROUP_ROWS):
            memory.enter(NAME, [digests[at] for at in settled.published])
            published += len(settled.published)
            for refused in settled.refused:
                id = records[refused.at]["scan_id"]
                bad.append(Quarantined(f"scan {id}", refused.reason, str(id)))
    for row in Quarantine(NAME).settle(map(str, ids), bad):
        log.warning("%s is in quarantine: %s", row.key, row.reason)
    return Counter(published=len(news) if current_run().dry_run else published, already_published=len(known))


def _record(scan: Row[Any]) -> dict[str, object]:
    scanned_at = scan.scanned_at.replace(tzinfo=timezone.utc)
    return {"scan_id": scan.id, "parcel": scan.parcel, "place": scan.place, "scanned_at": scanned_at}
