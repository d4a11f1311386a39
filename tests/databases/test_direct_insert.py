"""Rows that are inserted together are those that come back, in few statements, or none of them is there.

Given: a table on SQLite and on a server. What happens: rows go in, few and many, long and short, and some are refused.
What must hold: as many statements as there are megabytes; the id that is told is the first row's.
"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Column, Engine, MetaData, String, Table, event, select

from janitor.databases.direct import FEW, Direct, as_json
from janitor.databases.direct_insert import MOST_BYTES, DirectInsert
from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.errors import JanitorError, RowRefused
from janitor.state.tables import LongText, RowId
from tests.databases.words import ADD, NOW, QUERY, TABLE
from tests.servers import SqlServer


def test_the_id_of_the_first_row_is_told(database_url: URL) -> None:
    numbered = Table(
        "numbered",
        MetaData(),
        Column("id", RowId, primary_key=True, autoincrement=True),
        Column("word", LongText),
        Column("kind", String(16)),
        mysql_charset="utf8mb4",
        mariadb_charset="utf8mb4",
    )
    if database_url.get_backend_name() == "sqlite":
        Path(str(database_url.database)).touch()
    made = make_engine(database_url, read_only=False, limits=Limits(10, 5))
    numbered.metadata.create_all(made)
    add = DirectInsert(numbered, ["word"], same=["kind"])
    with made.begin() as connection:
        for times, words in enumerate(
            (["one"], ["b", "a"], ["x", "a\x00b"], ["y" * MOST_BYTES, "z" * MOST_BYTES, "z"])
        ):
            first = add.run(connection, [(word,) for word in words], {"kind": str(times)})
            ids = select(numbered.c.id).where(numbered.c.kind == str(times)).order_by(numbered.c.id)
            found = connection.execute(ids).scalars().all()
            assert (found[0], len(found)) == (first, len(words))
    made.dispose()


def test_many_bytes_go_in_several_statements(engine: Engine) -> None:
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    with engine.begin() as connection:
        words = [str(number) + "ü" * (MOST_BYTES // 5) for number in range(4)] + [
            f"{one}{'x' * MOST_BYTES}" for one in "45"
        ]
        ADD.run(connection, [(number, word, None, 0.0) for number, word in enumerate(words[:4])], {"kind": "here"})
        ADD.run(connection, [(number, word, None, 0.0) for number, word in enumerate(words[4:], 4)], {"kind": "here"})
        lengths = [len(row[1]) for row in Direct(QUERY).rows(connection, {"kind": "here"})]
    assert lengths == [MOST_BYTES // 5 + 1] * 4 + [MOST_BYTES + 1] * 2
    assert len([text for text in sent if text.startswith("INSERT")]) == 4
    ADD.run(connection, [])  # the connection is closed: nothing is sent


def test_what_all_rows_have_goes_once(engine: Engine) -> None:
    sent: list[Any] = []
    event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[3]))
    with engine.begin() as connection:
        sent.clear()
        for rows in (
            [(number, "long" * 10, NOW, number / 2) for number in range(FEW + 1)],
            [(90, "one", NOW, None)],
            [(number, None, None, 1.5) for number in range(20, 21 + FEW)],
            [(40, "a", NOW, 0.5), (41, "b", NOW, 0.5)],
        ):
            ADD.run(connection, rows, {"kind": "here"})
        numbers = [[number, number / 2] for number in range(FEW + 1)]
        values = [list(one.values()) if isinstance(one, dict) else list(one) for one in sent]
        assert sum(value == "long" * 10 for value in values[0]) == 1 and as_json(numbers) in values[0]
        assert 90 in values[1] and "one" in values[1], "a row by itself needs no JSON"
        assert as_json([[number] for number in range(20, 21 + FEW)]) in values[2]
        assert '[[40,"a"],[41,"b"]]' in values[3] if engine.name == "sqlite" else {40, 41, "a", "b"} <= {*values[3]}
        with pytest.raises(RowRefused):
            ADD.run(connection, [(7, "same", NOW, 0.0)] * 2, {"kind": "here"})


def test_a_row_that_is_refused_takes_the_others_along(engine: Engine) -> None:
    with engine.connect() as connection:
        with pytest.raises(RowRefused), connection.begin():
            ADD.run(connection, [(1, "one", NOW, 0.0), (2, "two", NOW, 0.0), (1, "again", NOW, 0.0)], {"kind": "here"})
        assert connection.execute(select(TABLE)).all() == []


def test_a_text_that_is_too_long_is_refused(mariadb: SqlServer) -> None:
    engine = make_engine(mariadb.create_database(), read_only=False, limits=Limits(10, 5))
    TABLE.metadata.create_all(engine)
    with engine.connect() as connection, connection.begin():
        with pytest.raises(JanitorError):
            DirectInsert(TABLE, ["id", "kind"]).run(connection, [(1, "k" * 17)])
        with pytest.raises(JanitorError):
            DirectInsert(TABLE, ["id"], same=["kind"]).run(connection, [(1,)], {"kind": "k" * 17})
        assert connection.execute(select(TABLE)).all() == []
    engine.dispose()
