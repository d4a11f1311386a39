"""The warehouses: the same tables and rows in every dialect, and the awkward rows of a lab."""

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from janitor.demo import sequencing_rows, storage_rows
from tests.demo.at_work import one, rows
from tests.fixtures import Warehouses


def test_both_dialects_have_the_same_columns_and_keys(warehouses: Warehouses) -> None:
    shape = {}
    for engine in (warehouses.labwhere, warehouses.mlwh, warehouses.events):
        seen = inspect(engine)
        for table in seen.get_table_names():
            if table != "sqlite_sequence":
                keys = sorted((i["column_names"], bool(i["unique"])) for i in seen.get_indexes(table))
                shape[table] = ([c["name"] for c in seen.get_columns(table)], keys)
    assert len(shape) == 18
    assert shape["roles"] == (
        ["id", "event_id", "subject_id", "role_type_id", "created_at", "updated_at"],
        [(["event_id"], False), (["role_type_id"], False), (["subject_id"], False)],
    )
    assert shape["iseq_flowcell"][1] == [
        (["id_flowcell_lims", "position", "tag_index"], False),
        (["id_sample_tmp"], False),
        (["id_study_tmp"], False),
    ]
    assert (["labware_barcode"], True) in shape["labware_location"][1]


def test_a_unique_key_refuses_a_second_row(warehouses: Warehouses) -> None:
    insert = (
        "INSERT INTO labwares (barcode, uuid, created_at, updated_at) VALUES ('DN1', 'u', '2026-07-01', '2026-07-01')"
    )
    with pytest.raises(IntegrityError), warehouses.labwhere.begin() as connection:
        connection.exec_driver_sql(insert)
        connection.exec_driver_sql(insert)


def test_ids_are_never_given_twice(warehouses: Warehouses) -> None:
    insert = "INSERT INTO users (login, created_at, updated_at) VALUES ('ab1', '2026-07-01', '2026-07-01')"
    with warehouses.labwhere.begin() as connection:
        connection.exec_driver_sql(insert)
        connection.exec_driver_sql("DELETE FROM users")
        connection.exec_driver_sql(insert)
    assert one(warehouses.labwhere, "SELECT id FROM users") == 2


def test_a_filled_lab_has_the_rows_it_says(warehouses: Warehouses) -> None:
    counts = warehouses.fill(labwares=700, runs=5, products=10)
    engines = dict.fromkeys(storage_rows.LABWHERE, warehouses.labwhere)
    engines |= dict.fromkeys(sequencing_rows.MLWH, warehouses.mlwh)
    engines |= dict.fromkeys(sequencing_rows.EVENTS, warehouses.events)
    assert counts == {table: one(engine, f"SELECT COUNT(*) FROM {table}") for table, engine in engines.items()}
    assert counts["labwares"] == 700
    assert counts["iseq_product_metrics"] == 50
    assert counts["iseq_run_status"] == 5 * 13
    assert 2.5 < counts["audits"] / 700 < 3.5


def test_both_dialects_get_the_same_rows(sqlite_warehouses: Warehouses, mariadb_warehouses: Warehouses) -> None:
    for made in (sqlite_warehouses, mariadb_warehouses):
        made.fill(labwares=300, runs=4, seed=23)
    for name, tables in (
        ("labwhere", storage_rows.LABWHERE),
        ("mlwh", sequencing_rows.MLWH),
        ("events", sequencing_rows.EVENTS),
    ):
        for table in tables:
            read = f"SELECT * FROM {table} ORDER BY 1"
            embedded, served = rows(getattr(sqlite_warehouses, name), read), rows(
                getattr(mariadb_warehouses, name), read
            )
            assert [list(map(str, row)) for row in embedded] == [list(map(str, row)) for row in served]


def test_a_lab_has_its_awkward_rows(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=1000, runs=20, products=96)
    labwhere, mlwh = sqlite_warehouses.labwhere, sqlite_warehouses.mlwh
    silent = """SELECT COUNT(*) FROM labwares WHERE id NOT IN
        (SELECT auditable_id FROM audits WHERE auditable_type = 'Labware')"""
    assert one(labwhere, silent) == 5
    nobody = """SELECT COUNT(*) FROM labwares JOIN audits ON audits.id = (SELECT MAX(id) FROM audits
        WHERE auditable_type = 'Labware' AND auditable_id = labwares.id) JOIN users ON users.id = user_id
        WHERE login IS NULL"""
    assert one(labwhere, nobody) == 4
    assert one(labwhere, "SELECT COUNT(*) FROM locations WHERE barcode IS NULL") == 1
    assert one(mlwh, "SELECT COUNT(*) FROM sample WHERE supplier_name IS NULL") == 28
    assert one(mlwh, "SELECT COUNT(*) FROM iseq_product_metrics WHERE id_iseq_flowcell_tmp IS NULL") == 20
