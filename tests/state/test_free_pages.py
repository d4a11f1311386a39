"""Free pages: a file from which rows have gone becomes smaller, a little at a time."""

import sqlite3
from pathlib import Path

from sqlalchemy import URL, delete, insert

from janitor.state import State
from janitor.state.free_pages import LEAST, SHARE, FreePages
from janitor.state.tables import cursors
from tests.small_engine import migrated
from tests.state.history import NOW

PAGES = 4_000
MAPS = PAGES // 500
"""So many pages of the file tell where others belong, at most."""


def grow_and_empty(state: State) -> None:
    """Fill about so many pages, and empty them again."""
    row = {"updated_at": NOW, "run_id": 1, "position": "x" * 4_000}
    with state.begin() as connection:
        connection.execute(insert(cursors), [row | {"name": f"{number}"} for number in range(PAGES)])
    with state.begin() as connection:
        connection.execute(delete(cursors))


def steps(state: State, most: int) -> list[int | None]:
    """How many pages each step gave back, up to the step that gave none."""
    found: list[int | None] = [0]
    while found[-1] is not None:
        with state.begin() as connection:
            found.append(FreePages().step(connection, most))
    return found[1:-1]


def pages_of(file: Path) -> tuple[int, int]:
    """How many pages a file has, and how many of them are free."""
    with sqlite3.connect(file) as connection:
        pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    return pages, free


def test_a_new_file_gives_pages_back_and_keeps_some(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    state = migrated(URL.create("sqlite", database=str(file)))
    grow_and_empty(state)
    pages, free = pages_of(file)
    assert free > PAGES
    gone = steps(state, 700)
    assert gone[:3] == [700, 700, 700] and 0 < (gone[-1] or 0) < 700
    left = pages - sum(each or 0 for each in gone)
    # With them go pages that only told where they belonged.
    assert left - MAPS <= pages_of(file)[0] <= left and pages_of(file)[1] <= max(LEAST, left // SHARE)
    assert steps(state, 700) == []
    state.close()


def test_an_older_file_stays_as_it_is(tmp_path: Path) -> None:
    # Given a file that was made without `auto_vacuum`, as earlier releases made it.
    file = tmp_path / "state.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")
    state = migrated(URL.create("sqlite", database=str(file)))
    grow_and_empty(state)
    assert steps(state, 700) == [] and pages_of(file)[1] > PAGES
    state.close()
