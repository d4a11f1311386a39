"""What stands where in the made-up lab."""

from janitor.demo import lab_rows, storage_rows
from tests.demo.at_work import one, rows
from tests.fixtures import NOW, Warehouses


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


def lab(labwares: int, seed: int) -> lab_rows.Lab:
    return lab_rows.Lab(labwares=labwares, runs=1, seed=seed, now=NOW)
