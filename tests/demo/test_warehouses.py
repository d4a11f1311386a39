"""The warehouses: the same tables and rows in every dialect, and the awkward rows of a lab."""

import pytest
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import IntegrityError

from janitor.demo import lab_rows, sequencing_rows, storage_rows
from tests.fixtures import NOW, Warehouses


def rows(engine: Engine, statement: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement.replace("%", "%%"))]


def one(engine: Engine, statement: str) -> object:
    return rows(engine, statement)[0][0]


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


def test_another_seed_makes_another_lab(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=50, runs=1, seed=5)
    first = rows(sqlite_warehouses.labwhere, "SELECT location_id FROM labwares ORDER BY id")
    again = [row[3:4] for row in storage_rows.labwares(lab(50, seed=5))]
    assert first == again
    assert first != [row[3:4] for row in storage_rows.labwares(lab(50, seed=6))]


def test_each_labware_stands_in_one_place(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=1000, runs=0)
    labwhere = sqlite_warehouses.labwhere
    assert (
        one(labwhere, "SELECT COUNT(*) FROM labwares WHERE location_id IS NOT NULL AND coordinate_id IS NOT NULL") == 0
    )
    assert one(labwhere, "SELECT COUNT(coordinate_id) - COUNT(DISTINCT coordinate_id) FROM labwares") == 0
    nowhere = rows(labwhere, "SELECT id FROM labwares WHERE location_id IS NULL AND coordinate_id IS NULL ORDER BY id")
    assert nowhere == [(n,) for n in range(1, 1001) if lab_rows.is_deleted(n)]
    missing = """SELECT COUNT(*) FROM labwares LEFT JOIN coordinates ON coordinates.id = coordinate_id
        LEFT JOIN locations ON locations.id = COALESCE(labwares.location_id, coordinates.location_id)
        WHERE locations.id IS NULL AND deleted_at IS NULL"""
    assert one(labwhere, missing) == 0


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


def test_statuses_are_numbered_by_their_date(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=1, runs=7)
    mlwh = sqlite_warehouses.mlwh
    dates = rows(mlwh, "SELECT date FROM iseq_run_status ORDER BY id_run_status")
    assert dates == sorted(dates)
    assert one(mlwh, "SELECT COUNT(*) FROM iseq_run_status WHERE iscurrent") == 7
    last = "SELECT id_run_status_dict FROM iseq_run_status WHERE iscurrent"
    assert set(rows(mlwh, last)) == {(len(sequencing_rows.STATUSES),)}


def test_a_sample_is_known_by_its_uuid_in_both(warehouses: Warehouses) -> None:
    warehouses.fill(labwares=10, runs=3)
    known = {str(row[0]).replace("-", "") for row in rows(warehouses.mlwh, "SELECT uuid_sample_lims FROM sample")}
    subjects = rows(warehouses.events, "SELECT LOWER(HEX(uuid)) FROM subjects WHERE subject_type_id = 1")
    assert known == {row[0] for row in subjects}


def test_each_sample_with_a_manifest_has_labwares(sqlite_warehouses: Warehouses) -> None:
    sqlite_warehouses.fill(labwares=500, runs=20)
    labwares = """SELECT COUNT(*) FROM subjects AS sample
        JOIN roles ON roles.subject_id = sample.id AND roles.role_type_id = 1
        JOIN events ON events.id = roles.event_id AND event_type_id = 2
        LEFT JOIN roles AS held ON held.event_id = events.id AND held.role_type_id = 2
        LEFT JOIN subjects AS labware ON labware.id = held.subject_id AND labware.subject_type_id = 2
        WHERE sample.subject_type_id = 1 AND labware.id IS NULL"""
    assert one(sqlite_warehouses.events, labwares) == 0
    updates = """SELECT held, COUNT(*) FROM (SELECT sample.id, COUNT(event_id) AS held FROM subjects AS sample
        LEFT JOIN (SELECT subject_id, event_id FROM roles JOIN events ON events.id = event_id AND event_type_id = 2)
        AS updates ON updates.subject_id = sample.id WHERE subject_type_id = 1 GROUP BY sample.id) AS counted
        GROUP BY held"""
    assert {held for held, _ in rows(sqlite_warehouses.events, updates)} == {0, 1, 2}


def lab(labwares: int, seed: int) -> lab_rows.Lab:
    return lab_rows.Lab(labwares=labwares, runs=1, seed=seed, now=NOW)
