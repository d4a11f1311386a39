"""Rows of a table: of many who claim a row one has it, and its last status is written only if it is still started."""

import threading

import pytest
from sqlalchemy import URL, create_engine

from janitor import databases
from janitor.errors import Cancelled, Rejected, Unavailable
from janitor.items.inboxes.table_rows import Layout, Rows
from janitor.runs import Run, running
from tests.items.inboxes.orders import SETTING, Orders, orders_at
from tests.servers import free_port


def rows_of(orders: Orders, *columns: str) -> Rows:
    layout = Layout(SETTING, "orders", "id", "status", columns, "Ready", "Started", "Success", "Failure")
    return Rows(orders.url, layout)


def test_rows_are_claimed_in_the_order_of_their_ids(orders: Orders) -> None:
    orders.add(9, 3, 7, study="Heron")
    orders.add(1, status="Draft")
    rows = rows_of(orders, "study", "status", "id")
    first = rows.claim(2)
    assert [(row.id, dict(row.values)) for row in first] == [
        (3, {"id": 3, "study": "Heron", "status": "Started"}),
        (7, {"id": 7, "study": "Heron", "status": "Started"}),
    ]
    assert orders.statuses == {1: "Draft", 3: "Started", 7: "Started", 9: "Ready"}
    assert [row.id for row in rows.claim(2)] == [9] and rows.claim(2) == []


def test_of_many_who_claim_a_row_one_has_it(orders: Orders) -> None:
    # Given: 300 rows and six claimers. What happens: all claim the same rows at the same time. What must hold: each row
    # belongs to one of them.
    orders.add(*range(1, 301))
    found: list[int] = []
    start = threading.Barrier(6)

    def claim() -> None:
        rows, quiet = rows_of(orders), 0
        start.wait(10)
        while quiet < 3:
            claimed = rows.claim(20)
            quiet = 0 if claimed else quiet + 1
            found.extend(int(row.id) for row in claimed)

    claimers = [threading.Thread(target=claim) for _ in range(6)]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join(60)
    assert sorted(found) == list(range(1, 301)) and set(orders.statuses.values()) == {"Started"}


def test_what_another_has_claimed_meanwhile_is_left_out(orders: Orders) -> None:
    # Given: a claimer that has found ten rows. What happens: another takes four of them before its UPDATE. What must
    # hold: it has the six others, and theirs are untouched.
    orders.add(*range(1, 11))
    rows = rows_of(orders)
    run = Run()
    looks: list[int] = []

    def meddle() -> bool:
        looks.append(1)
        if len(looks) == 2:  # after the look, before the claim
            for one in (2, 3, 5, 7):
                orders.set(one, "Theirs")
        return True

    run.guard = meddle
    with running(run):
        assert [row.id for row in rows.claim(10)] == [1, 4, 6, 8, 9, 10]
    assert [orders.statuses[one] for one in (2, 3, 5, 7)] == ["Theirs"] * 4


def test_a_run_that_is_to_stop_takes_its_claim_back(orders: Orders) -> None:
    orders.add(1, 2)
    run = Run()
    looks: list[int] = []

    def stop_late() -> bool:
        looks.append(1)
        if len(looks) == 3:
            run.ask_to_stop(Cancelled("by hand"))
            return False
        return True

    run.guard = stop_late
    with running(run), pytest.raises(Cancelled):
        rows_of(orders).claim(10)
    assert orders.statuses == {1: "Ready", 2: "Ready"}


def test_started_rows_are_read_in_pages(orders: Orders) -> None:
    orders.add(*range(1, 1_101), status="Started")
    orders.add(2_000)
    pages = list(rows_of(orders).started())
    assert [len(page) for page in pages] == [500, 500, 100]
    assert [row.id for page in pages for row in page] == list(range(1, 1_101))
    assert rows_of(orders).still_started([5, 1_100, 1_101, 2_000]) == {5, 1_100}


def test_a_last_status_is_written_once(orders: Orders) -> None:
    orders.add(1, 2, 3, status="Started")
    orders.set(2, "On hold")
    rows = rows_of(orders)
    assert rows.end([1, 2], "Success") == 1 and rows.end([1, 2], "Failure") == 0
    assert orders.statuses == {1: "Success", 2: "On hold", 3: "Started"}


def test_ids_that_cannot_be_found_again_are_refused(database_url: URL) -> None:
    with orders_at(database_url, "CREATE TABLE orders (id DECIMAL(9, 1) PRIMARY KEY, status VARCHAR(9))") as orders:
        orders.execute("INSERT INTO orders VALUES (1.5, 'Ready')")
        with pytest.raises(Rejected, match="^id of orders at .* holds (Decimal|float): give a column of numbers or"):
            rows_of(orders).claim(1)
        with orders.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT status FROM orders").scalar_one() == "Ready"
        databases.dispose()


def test_a_database_that_is_away_is_unavailable() -> None:
    url = URL.create("mysql+pymysql", "nobody", "", "127.0.0.1", free_port(), "lab")
    layout = Layout(SETTING, "orders", "id", "status", (), "Ready", "Started", "Success", "Failure")
    with pytest.raises(Unavailable, match="cannot be reached"):
        Rows(url, layout).claim(1)


def test_a_look_for_rows_locks_nothing(orders: Orders) -> None:
    # Given: another program that has changed a row, and not committed. What happens: rows are looked for. What must
    # hold: the look does not wait for it.
    orders.add(1, status="Draft")
    with create_engine(orders.url).connect() as other:
        other.exec_driver_sql("UPDATE orders SET study = 'mine' WHERE id = 1")
        assert rows_of(orders).claim(10) == [] and list(rows_of(orders).started()) == []
        other.rollback()
