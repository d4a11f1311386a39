"""How large things are: the page has the figures that are measured."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from benchmarks import sizes
from docs.marked import cells
from tests.docs.project import DOCS
from tests.servers import SqlServer

NEAR = 0.15


def told(column: int) -> dict[str, float]:
    """The bytes that the page tells of each kind of thing, in one of its columns."""
    page = (DOCS / "how-to" / "how_large_things_grow.md").read_text(encoding="utf-8")
    rows = [row for row in cells(page) if row[0] in sizes.KINDS and len(row) == 3]
    return {row[0]: float(row[column].removesuffix(" bytes")) for row in rows}


def test_the_page_has_the_bytes_on_sqlite(tmp_path: Path) -> None:
    measured = sizes.sizes(URL.create("sqlite", database=str(tmp_path / "state.db")), runs=2_000, entries=5_000)
    assert told(1) == pytest.approx(measured, rel=NEAR)


@pytest.mark.slow
def test_the_page_has_the_bytes_on_a_server(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    assert told(2) == pytest.approx(sizes.sizes(url), rel=NEAR)
    mariadb.drop_database(url.database)
