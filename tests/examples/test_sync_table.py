"""The example of a table kept in step: the daemon as a person starts it, and both tasks on databases of a test."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from examples.sync_table import shop, tasks
from tests.command_line import CommandLine, wait_for
from tests.recorded_runs import Daemon

PRODUCTS = "SELECT id, name, price_pence, version FROM products ORDER BY id"
LISTED = "SELECT product_id, name, price_pence, version FROM price_list ORDER BY product_id"
TOO_LONG = 4


def execute(path: Path, statement: str) -> list[Any]:
    """What a statement gives; it is committed."""
    with closing(sqlite3.connect(path, timeout=30)) as db, db:
        return db.execute(statement).fetchall()


class Pair:
    """Both databases in a folder, and runs of the tasks on them."""

    def __init__(self, folder: Path) -> None:
        self.shop, self.price_list = folder / "shop.db", folder / "price_list.db"
        self.urls = [URL.create("sqlite", database=str(path)) for path in (self.shop, self.price_list)]
        shop.make(*self.urls)
        self.daemon = Daemon({}, folder)

    def follow(self, dry_run: bool = False) -> dict[str, int]:
        """Run `follow` once; its counts."""
        return dict(self.daemon.counts(lambda settings: tasks.follow(*self.urls), dry_run=dry_run))

    def compare(self, dry_run: bool = False) -> dict[str, int]:
        """Run `compare` once; its counts."""
        return dict(self.daemon.counts(lambda settings: tasks.compare(*self.urls), dry_run=dry_run))

    def trade(self, times: int = 1) -> None:
        """Let the shop change."""
        for _ in range(times):
            self.daemon.counts(lambda settings: shop.trade(self.urls[0]))

    def assert_in_step(self) -> None:
        """The price list has the shop's products, but for the product whose name is too long."""
        assert execute(self.price_list, LISTED) == [row for row in execute(self.shop, PRODUCTS) if len(row[1]) <= 40]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.daemon.close()


@pytest.mark.slow
def test_a_killed_daemon_goes_on_where_it_stopped(tmp_path: Path) -> None:
    # Given the daemon of the README; killed while the shop changes, then started anew; then both are equal.
    janitor = CommandLine(tmp_path, ("-m", "examples.sync_table.run"))
    products, listed = tmp_path / "var" / "shop.db", tmp_path / "var" / "price_list.db"
    for _ in range(2):
        with janitor.started() as process:
            before = highest(products)
            wait_for(lambda: highest(products) > before and highest(listed) >= highest(products))
            process.kill()
    with janitor.started() as process:
        before = highest(listed)
        wait_for(lambda: highest(listed) > before)
        assert janitor.stopped(process).code == 0
    assert janitor("run", "price_list").code == 0
    compared = janitor("run", "price_list_compare", "--dry-run")
    assert compared.code == 0 and "inserted=0 updated=0 deleted=0 quarantined=1" in compared.out, compared.out
    assert execute(listed, LISTED) == [row for row in execute(products, PRODUCTS) if row[0] != TOO_LONG]
    outcomes = {(row["job"], row["outcome"]) for row in janitor("history", "--json").json}
    # A machine that is busy takes longer for a run than the second until the next slot.
    assert {outcome for _, outcome in outcomes} <= {"succeeded", "interrupted", "missed", "skipped"}, outcomes


def highest(path: Path) -> int:
    """The newest product in one of the databases; 0 before there is any."""
    table, column = ("products", "id") if path.name == "shop.db" else ("price_list", "product_id")
    try:
        return int(execute(path, f"SELECT coalesce(max({column}), 0) FROM {table}")[0][0])
    except sqlite3.OperationalError:
        return 0


def test_each_change_of_the_shop_is_followed(pair: Pair) -> None:
    assert pair.follow() == {"products": 4, "inserted": 3, "updated": 0, "deleted": 0, "quarantined": 1}
    for _ in range(5):
        pair.trade(2)
        pair.follow()
        pair.assert_in_step()
    assert pair.follow() == {"products": 0, "inserted": 0, "updated": 0, "deleted": 0, "quarantined": 1}


def test_a_dry_run_counts_and_changes_nothing(pair: Pair) -> None:
    # Given a shop that changed; a dry run counts that; then the price list and the cursor are as before.
    counts = pair.follow(dry_run=True)
    assert (counts["inserted"], execute(pair.price_list, LISTED)) == (3, [])
    assert pair.follow()["inserted"] == 3
    execute(pair.shop, "UPDATE products SET price_pence = 1, version = 2 WHERE id = 1")
    assert [pair.follow(dry_run=True)["updated"] for _ in range(2)] == [1, 1]
    assert execute(pair.price_list, LISTED)[0] == (1, "Kettle", 2400, 1)
    assert pair.follow()["updated"] == 1
    pair.assert_in_step()


def test_what_the_price_list_did_not_take_comes_again(pair: Pair) -> None:
    # Given a price list that refuses every change for a while; a run fails; then the next run writes all of it.
    pair.follow()
    # An overflow is no fault of a row, so no row is set aside for it.
    execute(
        pair.price_list, "CREATE TRIGGER no BEFORE INSERT ON price_list BEGIN SELECT abs(-9223372036854775808); END"
    )
    pair.trade(3)
    failed = pair.daemon.run(lambda settings: tasks.follow(*pair.urls))
    assert (failed.outcome.value, "overflow" in str(failed.reason)) == ("failed", True)
    execute(pair.price_list, "DROP TRIGGER no")
    pair.follow()
    pair.assert_in_step()


def test_compare_repairs_what_was_changed_by_hand(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a wrong, a missing and a foreign row, on three pages; compare repairs each, and its dry run only counts.
    monkeypatch.setattr(tasks, "PAGE_ROWS", 2)
    pair.follow()
    execute(pair.price_list, "UPDATE price_list SET price_pence = 1 WHERE product_id = 1")
    execute(pair.price_list, "DELETE FROM price_list WHERE product_id = 3")
    execute(pair.price_list, "INSERT INTO price_list VALUES (9, 'Ghost', 1, 1, '2026-07-01')")
    found = {"products": 5, "inserted": 1, "updated": 1, "deleted": 1, "quarantined": 1}
    assert [pair.compare(dry_run=True), pair.compare(dry_run=True), pair.compare()] == [found] * 3
    pair.assert_in_step()
    assert pair.compare() == {"products": 4, "inserted": 0, "updated": 0, "deleted": 0, "quarantined": 1}


def test_a_name_that_becomes_shorter_leaves_quarantine(pair: Pair) -> None:
    assert pair.follow()["quarantined"] == 1
    execute(pair.shop, f"UPDATE products SET name = 'Tea towel', version = version + 1 WHERE id = {TOO_LONG}")
    assert pair.follow() == {"products": 1, "inserted": 1, "updated": 0, "deleted": 0, "quarantined": 0}
    pair.assert_in_step()


def test_a_slow_writer_puts_back_no_older_row(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given products that compare has read; the shop changes and follow is quicker; then compare undoes nothing.
    pair.follow()
    read = execute(pair.shop, PRODUCTS)
    execute(pair.shop, "UPDATE products SET price_pence = 7, version = 2 WHERE id = 1")
    execute(pair.shop, "DELETE FROM products WHERE id = 2")
    pair.follow()
    pair.daemon.counts(lambda settings: tasks._deliver(pair.urls[0], tasks._sink(pair.urls[1]), {1, 2, 3}, read))
    pair.assert_in_step()
