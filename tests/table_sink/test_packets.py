"""Servers that take only short statements: bytes are counted, not characters.

Given: a server that takes a megabyte at a time, the least that `check` allows.
What happens: rows of long texts, of several bytes a character and full of quotes, are written, read and deleted.
What must hold: all goes, but a row that is longer by itself, which is refused in words.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.table_sink import TableSink, Written
from tests.servers import SqlServer
from tests.table_sink.places import NOW, THEN, keys_in
from tests.table_sink.test_refusals import execute

MEGABYTE = 1024 * 1024


@pytest.fixture
def narrow_url(mariadb: SqlServer, mariadb_url: URL) -> Iterator[URL]:
    """An empty database on a server that takes a megabyte at a time."""
    ((before,),) = mariadb.execute("SELECT @@global.max_allowed_packet")
    mariadb.execute(f"SET GLOBAL max_allowed_packet = {MEGABYTE}")
    databases.dispose()
    yield mariadb_url
    databases.dispose()
    mariadb.execute(f"SET GLOBAL max_allowed_packet = {before}")


def names(url: URL) -> TableSink:
    execute(url, "CREATE TABLE t (k varchar(250) NOT NULL PRIMARY KEY, name varchar(250), more longtext)")
    return TableSink(url, "t", "k", ("k", "name", "more"))


@pytest.mark.parametrize("letter", ["x", "\\", "'", "😀"])
def test_long_texts_go_in_statements_of_allowed_length(narrow_url: URL, letter: str) -> None:
    target = names(narrow_url)
    rows = [(f"{at:04}{letter * 240}", letter * 250, letter * 99) for at in range(2000)]
    changed = [(key, f"{name[:-1]}!", more) for key, name, more in rows]
    assert target.write(rows, THEN) == Written(inserted=2000)
    assert target.write(changed, NOW) == Written(updated=2000)
    assert target.write(changed, NOW) == Written(unchanged=2000)
    assert target.compare(rows).different == 2000
    assert len(keys_in(target)) == 2000
    assert target.delete([key for key, *_ in rows]) == 2000


@pytest.mark.slow
def test_a_row_longer_than_a_packet_stops_no_other(narrow_url: URL) -> None:
    target = names(narrow_url)
    rows = [(f"k{at}", "x", "é" * (MEGABYTE if at == 7 else 70_000)) for at in range(20)]
    for written in (target.write(rows, THEN, mostly_new=True), target.write(rows, NOW)):
        (refused,) = written.refused
        assert refused.key == "k7" and "the server takes at most 1048576: raise max_allowed_packet" in refused.reason
    assert len(keys_in(target)) == 19
