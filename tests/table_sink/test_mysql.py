"""The sink on MariaDB and MySQL: kinds of columns, indexes, AUTO_INCREMENT, collations."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, insert

from janitor import databases
from janitor.table_sink import CHUNK_ROWS, Compared, Written
from tests.fixtures import Warehouses
from tests.servers import SqlServer
from tests.table_sink.other_table import GOOD, other_sink
from tests.table_sink.places import NOW, THEN, Place, keys_in, sink, statements, stored, table


def next_id(warehouses: Warehouses) -> int:
    """The next value of AUTO_INCREMENT, found by adding a row and taking it back."""
    with warehouses.mlwh.connect() as connection, connection.begin() as transaction:
        made = connection.execute(insert(table(warehouses.mlwh)), _probe()).lastrowid
        transaction.rollback()
    return int(made)


def _probe() -> dict[str, Any]:
    return Place("probe")._asdict() | {"lims_id": "probe", "created_at": THEN, "updated_at": THEN}


def _by_id(warehouses: Warehouses) -> list[dict[str, Any]]:
    return sorted(stored(warehouses.mlwh).values(), key=lambda row: int(row["id"]))


@pytest.mark.parametrize("change", [{"labware_barcode": "dn1"}, {"stored_by": "AB12"}, {"location_name": "Shelf 7 "}])
def test_case_and_trailing_space_are_changes(mariadb_warehouses: Warehouses, change: dict[str, str]) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    target.write([Place("DN1")], THEN)
    before = stored(mariadb_warehouses.mlwh)["DN1"]
    changed = Place("DN1")._replace(**change)
    assert target.write([changed], NOW) == Written(updated=1)
    (after,) = stored(mariadb_warehouses.mlwh).values()
    assert after == before | change | {"updated_at": NOW}
    assert target.write([changed], NOW) == Written(unchanged=1)


def test_only_new_rows_move_auto_increment(mariadb_warehouses: Warehouses) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    rows = [Place(f"DN{number}") for number in range(2 * CHUNK_ROWS + 7)]
    assert target.write(rows, THEN).inserted == len(rows)
    assert [row["id"] for row in _by_id(mariadb_warehouses)] == list(range(1, len(rows) + 1))
    target.write(rows, NOW)
    target.write([row._replace(stored_by="zz9") for row in rows[:50]], NOW)
    target.compare([*rows, Place("NEW")])
    assert next_id(mariadb_warehouses) == len(rows) + 1


def test_each_statement_finds_its_rows_by_an_index(mariadb_warehouses: Warehouses) -> None:
    target = sink(mariadb_warehouses.mlwh_url)
    rows = [Place(f"DN{number:06d}") for number in range(30_000)]
    target.write(rows, THEN, mostly_new=True)
    databases.dispose()
    seen: list[str] = []
    page = [*(row._replace(stored_by="zz9", stored_at=NOW) for row in rows[::15]), Place("dn000007", stored_at=NOW)]
    with statements(("SELECT", "UPDATE", "DELETE"), seen.append):
        assert target.write(page, NOW).updated == 2001
        assert target.write([Place("new"), Place("dn000007", stored_at=NOW)], NOW).inserted == 1
        assert target.compare(page).unchanged == 2001
        assert len(list(target.stored(5000))) == 7
        assert target.delete([row.labware_barcode for row in rows[:2000]]) == 2000
    explained = [statement for statement in seen if "`labware_location`" in statement]
    assert len(explained) > 10
    for statement in explained:
        for row in explain(target.url, statement):
            if row["table"] in ("t", "labware_location"):
                assert row["type"] in ("const", "ref", "eq_ref", "range") or _first_page(statement), statement[:300]
                assert row["key"] in ("index_labware_location_on_labware_barcode", "PRIMARY"), statement[:300]


def _first_page(statement: str) -> bool:
    """Whether a statement finds the end of the first page, in the order of the primary key."""
    return " WHERE 1 ORDER BY `id` LIMIT 4999, 1" in statement


MARIADB, MYSQL = (
    "in_predicate_conversion_threshold = 0",
    "range_optimizer_max_mem_size = 0, explain_format = TRADITIONAL",
)


def explain(url: URL, statement: str) -> list[dict[str, Any]]:
    with create_engine(url).connect() as connection:
        maria = "MariaDB" in connection.exec_driver_sql("SELECT VERSION()").scalar_one()
        connection.exec_driver_sql(f"SET {MARIADB if maria else MYSQL}")
        options = {"no_parameters": True}
        return [dict(row) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", None, options).mappings()]


def test_types_and_character_sets_of_all_kinds(mariadb: SqlServer) -> None:
    target = other_sink(mariadb)
    lowest = ("KÄSE€  ", None, 127, None, None, datetime(1000, 1, 1), None, None, None, None)
    assert target.write([GOOD], NOW) == Written(inserted=1)
    assert target.write([GOOD], NOW) == Written(unchanged=1)
    assert target.compare([GOOD]) == Compared(unchanged=1)
    separators = ("\x1f\x1e", *lowest[1:])  # with separators, the rows of the chunk are compared value by value
    assert target.write([GOOD, separators], NOW) == Written(inserted=1, unchanged=1)
    assert target.write([GOOD, separators], NOW) == Written(unchanged=2)
    assert target.delete([separators[0]]) == 1
    with databases.read(target.url) as connection:
        (row,) = connection.exec_driver_sql("SELECT * FROM other")
    cut = THEN.replace(microsecond=0), THEN.replace(microsecond=100_000), THEN.replace(microsecond=123_000)
    assert tuple(row) == (*GOOD[:4], *cut, *GOOD[7:], 7)
    assert target.write([lowest], NOW) == Written(updated=1)
    assert target.write([lowest], NOW) == Written(unchanged=1)
    assert keys_in(target) == ["KÄSE€"]
