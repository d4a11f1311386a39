"""What the lab counts on from, in a warehouse."""

from itertools import islice

from sqlalchemy import text

from janitor.demo.counting import column, highest, ids_after
from tests.fixtures import Warehouses

INSERT = "INSERT INTO users (id, login, created_at, updated_at) VALUES (:id, :login, '2026-07-01', '2026-07-01')"


def test_numbers_go_on_above_the_highest(sqlite_warehouses: Warehouses) -> None:
    url = sqlite_warehouses.labwhere_url
    assert highest(url, "users", "id") == 0 and next(ids_after(url, "users", "id")) == 1
    with sqlite_warehouses.labwhere.begin() as connection:
        connection.execute(text(INSERT), [{"id": 41, "login": "ab1"}, {"id": 7, "login": "cd2"}])
    assert highest(url, "users", "id") == 41
    assert list(islice(ids_after(url, "users", "id"), 3)) == [42, 43, 44]
    assert column(url, "SELECT login, id FROM users ORDER BY id") == ["cd2", "ab1"]
