"""The samples, runs and manifests of the made-up lab."""

from janitor.demo import sequencing_rows
from tests.demo.at_work import one, rows
from tests.fixtures import Warehouses


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
