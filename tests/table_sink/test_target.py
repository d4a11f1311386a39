"""What the target lacks is said in one sentence."""

from typing import Any

import pytest
from sqlalchemy import create_engine

from janitor import databases
from janitor.errors import Rejected
from janitor.table_sink import Compared, TableSink
from tests.fixtures import Warehouses
from tests.servers import SqlServer
from tests.table_sink.places import NOW, Place, sink, stored


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"table": "nowhere"},
            "a table is missing at {place}: there is no nowhere, or this user may not see it; check",
        ),
        (
            {"columns": (*Place._fields, "colour")},
            "a column is missing at {place}: labware_location has no colour; this",
        ),
        ({"updated_at": "changed_at"}, "a column is missing at {place}: labware_location has no changed_at; this task"),
        ({"key": "location_barcode"}, "labware_location at {place} has no unique index on location_barcode alone;"),
        ({"owner": {"lims_id": "L" * 300}}, "labware_location at {place} does not take this task's rows: lims_id has"),
    ],
)
def test_what_the_target_lacks_is_said(warehouses: Warehouses, changes: dict[str, Any], sentence: str) -> None:
    target = sink(warehouses.mlwh_url, **changes)
    for call in (target.check, lambda: target.write([Place()], NOW), lambda: list(target.stored())):
        with pytest.raises(Rejected) as caught:
            call()
        assert str(caught.value).startswith(sentence.format(place=databases.place(warehouses.mlwh_url)))


def test_a_column_that_cannot_be_compared_is_refused(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (k int PRIMARY KEY, f float)")
    with pytest.raises(Rejected, match=r"^t\.f at .* is float, which cannot be compared exactly$"):
        TableSink(url, "t", "k", ("k", "f")).check()


def test_a_read_only_user_is_told_of_the_grant(mariadb_warehouses: Warehouses) -> None:
    server, url = mariadb_warehouses.server, mariadb_warehouses.mlwh_url
    assert server is not None
    grant = f"GRANT SELECT ON `{url.database}`.* TO reader"
    server.execute("DROP USER IF EXISTS reader", "CREATE USER reader IDENTIFIED BY 'sekret'", grant)
    target = sink(url.set(username="reader", password="sekret"))
    assert target.compare([Place()]) == Compared(missing=1)
    with pytest.raises(Rejected, match="a grant is missing at .*: INSERT command denied to user 'reader'") as caught:
        target.write([Place()], NOW)
    assert "sekret" not in str(caught.value)
    assert not stored(mariadb_warehouses.mlwh)
