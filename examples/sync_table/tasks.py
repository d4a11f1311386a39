"""The two tasks: follow each change of a product, and compare all products with the price list."""

import logging
from collections import Counter
from collections.abc import Sequence, Set
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import URL, Row, column, select, table

from janitor import databases
from janitor.feeds import Feed
from janitor.memory import Quarantine, Quarantined
from janitor.runs import current_run
from janitor.table_sink import TableSink

NAME = "price_list"
PAGE_ROWS = 500
LAST_ID = 2**63 - 1
LATE = timedelta(minutes=10)
"""How late a change may commit after a change with a higher id was read."""

PRODUCTS = table("products", column("id"), column("name"), column("price_pence"), column("version"))
LISTED = table("price_list", column("product_id"))

log = logging.getLogger(__name__)


def follow(shop: URL, price_list: URL) -> dict[str, int]:
    """Write each product that changed since the last run; the first run writes all products.

    A run that is cut off loses nothing: the cursor moves after the price list has the rows.
    """
    sink, done = _sink(price_list), Counter[str]()
    changes = Feed(NAME, shop, "product_changes", "id", [column("product_id")], lag=LATE, page_rows=PAGE_ROWS)
    reading = changes.open() or changes.begin_at_end(snapshot=True)
    if reading.position.snapshot_after is not None:
        done.update(compare(shop, price_list))
        reading.save_snapshot(None)
    for page in reading.pages():
        ids = {change.product_id for change in page.rows}
        with databases.read(shop) as db:
            products = db.execute(select(PRODUCTS).where(PRODUCTS.c.id.in_(ids))).all()
        done += _deliver(shop, sink, ids, products)
        page.confirm()
    return _counts(done)


def compare(shop: URL, price_list: URL) -> dict[str, int]:
    """Compare all products with the price list and repair what differs, such as a price changed by hand."""
    sink, done, after = _sink(price_list), Counter[str](), 0
    while after < LAST_ID:
        with databases.read(shop) as db:
            page = select(PRODUCTS).where(PRODUCTS.c.id > after).order_by(PRODUCTS.c.id).limit(PAGE_ROWS)
            products = db.execute(page).all()
        last = products[-1].id if len(products) == PAGE_ROWS else LAST_ID
        with databases.read(price_list) as db:
            listed = select(LISTED).where(LISTED.c.product_id > after, LISTED.c.product_id <= last)
            ids = {product.id for product in products}.union(db.execute(listed).scalars())
        done += _deliver(shop, sink, ids, products)
        current_run().progress(done["products"])
        after = last
    return _counts(done)


def _sink(price_list: URL) -> TableSink:
    columns = ("product_id", "name", "price_pence", "version")
    return TableSink(price_list, "price_list", "product_id", columns, newer="version", updated_at="written_at")


def _deliver(shop: URL, sink: TableSink, ids: Set[int], products: Sequence[Row[Any]]) -> Counter[str]:
    """Make the price list equal to the shop for these ids; `products` are the rows that the shop has for them."""
    written = sink.write(products, datetime.now(timezone.utc))
    # Another run may delete a product and its row after this run read the product: ask again, after the write.
    with databases.read(shop) as db:
        there = set(db.execute(select(PRODUCTS.c.id).where(PRODUCTS.c.id.in_(ids))).scalars())
    deleted = sink.delete(sorted(ids - there))
    refused = [Quarantined(str(row.key), row.reason, str(row.key)) for row in written.refused]
    for news in Quarantine(NAME).settle(map(str, ids), refused):
        log.warning("product %s is in quarantine: %s", news.key, news.reason)
    return Counter(products=len(ids), inserted=written.inserted, updated=written.updated, deleted=deleted)


def _counts(done: Counter[str]) -> dict[str, int]:
    counts = {name: done[name] for name in ("products", "inserted", "updated", "deleted")}
    return counts | {"quarantined": len(Quarantine(NAME))}
