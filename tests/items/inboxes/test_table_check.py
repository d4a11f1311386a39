"""Whether the status of a table may be changed, and has room: `check` looks, and changes nothing."""

import pytest

from janitor.errors import Rejected
from janitor.items.inboxes.table_check import look
from janitor.items.inboxes.table_rows import Layout, Status
from tests.items.inboxes.orders import SETTING, TABLE, Orders
from tests.servers import SqlServer


def layout(success: Status = "Success", **names: str) -> Layout:
    given = {"setting": SETTING, "table": "orders", "id_column": "id", "status_column": "status", **names}
    return Layout(**given, columns=(), ready="Ready", started="Started", success=success, failure="Failure")


def test_a_table_as_it_must_be(orders: Orders) -> None:
    orders.add(1, 2)
    (said,) = look(layout(), orders.settings())
    assert said.startswith("the user may change status of orders at ")
    assert orders.statuses == {1: "Ready", 2: "Ready"}


def test_a_missing_index_is_told(orders: Orders) -> None:
    orders.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, status VARCHAR(10))")
    (said,) = look(layout(table="bare"), orders.settings())
    assert "has no index that begins with status: each look reads the whole table" in said


def test_a_missing_table_or_column_is_told(orders: Orders) -> None:
    with pytest.raises(Rejected, match="nowhere"):
        look(layout(table="nowhere"), orders.settings())
    with pytest.raises(Rejected, match="stage"):
        look(layout(status_column="stage"), orders.settings())


@pytest.mark.parametrize(
    ("kind", "success", "fits"),
    [
        ("VARCHAR(7)", "Success", True),
        ("VARCHAR(8)", "Succeeded", False),
        ("ENUM('Ready', 'Started', 'Success', 'Failure')", "Success", True),
        ("ENUM('Ready', 'Started', 'Success', 'Failure')", "Succeeded", False),
        ("INTEGER", 3, True),
    ],
)
def test_statuses_must_fit_at_mariadb(mariadb: SqlServer, kind: str, success: Status, fits: bool) -> None:
    url = mariadb.create_database()
    orders = Orders(url, TABLE.replace("VARCHAR(10) NOT NULL", kind))
    if fits:
        assert look(layout(success), orders.settings())
    else:
        with pytest.raises(Rejected, match=f"^status of orders at .* has no room for '{success}': let it take that"):
            look(layout(success), orders.settings())
    mariadb.drop_database(url.database)


def test_a_missing_grant_at_mariadb_is_told(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    orders = Orders(url)
    mariadb.execute("CREATE OR REPLACE USER reader IDENTIFIED BY 's'", f"GRANT SELECT ON `{url.database}`.* TO reader")
    settings = orders.settings(url.set(username="reader", password="s"))
    grant = rf"GRANT UPDATE \(status\) ON `{url.database}`.`orders` TO 'reader'$"
    with pytest.raises(Rejected, match=grant):
        look(layout(), settings)
    mariadb.execute("DROP USER reader")
    mariadb.drop_database(url.database)
