"""Statements that go straight to the driver: what they write and read is what SQLAlchemy's own would.

Given: a table on SQLite and on a server. What happens: rows with hostile texts go in and come back.
What must hold: they are the same; errors are ours; what a statement is, listeners see.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    URL,
    Column,
    Engine,
    Float,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    event,
    insert,
    not_,
    or_,
    select,
    update,
)

from janitor.databases.direct import MOST_BYTES, Direct, DirectInsert, a_list
from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.errors import JanitorError, Rejected, RowRefused, Unavailable
from janitor.state.tables import Instant, LongText, RowId
from tests.servers import SqlServer

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_123, tzinfo=timezone.utc)
PARIS = timezone(timedelta(hours=2))
HOSTILE = [
    "",
    "plain",
    "it's",
    'say "hi"',
    "back\\slash",
    "%s %(x)s ?",
    "new\nline",
    "naïve 😀",
    "a\x00b",
    "[1]",
    "null",
]
TABLE = Table(
    "words",
    MetaData(),
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("word", LongText),
    Column("at", Instant),
    Column("share", Float),
    mysql_charset="utf8mb4",
    mariadb_charset="utf8mb4",
)
ADD = DirectInsert(TABLE, ["id", "word", "at", "share"], same=["kind"])
QUERY = select(TABLE.c.id, TABLE.c.word, TABLE.c.at, TABLE.c.share).where(TABLE.c.kind == bindparam("kind"))
ROWS = [
    (number, word, None if number % 3 == 0 else (NOW + timedelta(hours=number)).astimezone(PARIS), number / 8)
    for number, word in enumerate([*HOSTILE, None])
]


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    if database_url.get_backend_name() == "sqlite":
        Path(str(database_url.database)).touch()
    made = make_engine(database_url, read_only=False, limits=Limits(10, 5))
    TABLE.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.mark.parametrize("together", [True, False])
def test_what_goes_in_comes_back(engine: Engine, together: bool) -> None:
    with engine.begin() as connection:
        ADD.run(connection, ROWS, {"kind": "here"})
        ADD.run(connection, [(99, "other", NOW, 0.5)], {"kind": "elsewhere"})
        own = sorted(tuple(row) for row in connection.execute(QUERY, {"kind": "here"}))
        found = Direct(QUERY, together=together).rows(connection, {"kind": "here"})
    assert sorted(found) == own == [tuple(row) for row in ROWS]
    assert all(row[2] is None or row[2].utcoffset() == timedelta(0) for row in found)


@pytest.mark.parametrize("together", [True, False])
def test_a_limit_cuts_before_rows_come_together(engine: Engine, together: bool) -> None:
    with engine.begin() as connection:
        ADD.run(connection, [(number, "w", NOW, 0.0) for number in range(9)], {"kind": "here"})
        query = QUERY.where(TABLE.c.id > bindparam("after")).order_by(TABLE.c.id).limit(bindparam("most"))
        found = Direct(query, together=together).rows(connection, {"kind": "here", "after": 3, "most": 4})
    assert sorted(row[0] for row in found) == [4, 5, 6, 7]


def test_a_list_is_one_value_of_any_length(engine: Engine) -> None:
    chosen = Direct(select(TABLE.c.id).where(TABLE.c.id.in_(a_list("ids")), TABLE.c.word.in_(a_list("words"))))
    mark = Direct(update(TABLE).where(TABLE.c.id.in_(a_list("ids"))).values(share=bindparam("new")))
    with engine.begin() as connection:
        ADD.run(connection, ROWS, {"kind": "here"})
        for words in (["it's"], HOSTILE[:8]):
            values = {"ids": list(range(2, 2_000)), "words": words}
            assert chosen.rows(connection, values) == [(number,) for number in range(2, 8) if HOSTILE[number] in words]
        assert mark.run(connection, {"ids": [1, 3, 5_000], "new": 2.5}) == 2
        assert connection.execute(select(TABLE.c.id).where(TABLE.c.share == 2.5)).scalars().all() == [1, 3]


@pytest.mark.parametrize(
    "wanted",
    [
        [5],
        [9, 3, 3, 5, 4],
        [*range(10, 60), *range(-20, -9), *range(100, 90, -1), *range(55, 65)],
        list(range(0, 400, 2)),
        [*range(0, 300), *range(302, 600, 2)],
    ],
)
def test_whole_numbers_are_those_that_are_given(engine: Engine, wanted: list[int]) -> None:
    chosen = Direct(select(TABLE.c.id).where(TABLE.c.id.in_(a_list("ids")), TABLE.c.kind == bindparam("kind")))
    with engine.begin() as connection:
        for kind in ("here", "elsewhere"):
            ADD.run(
                connection, [(at + 1_000 * (kind != "here"), kind, NOW, 0.0) for at in range(-30, 620)], {"kind": kind}
            )
        found = chosen.rows(connection, {"ids": wanted + [1_005], "kind": "here"})
    assert sorted(row[0] for row in found) == sorted(set(wanted))


def test_a_list_may_stand_in_any_condition(engine: Engine) -> None:
    either = or_(TABLE.c.id.in_(a_list("ids")), and_(TABLE.c.word.in_(a_list("words")), TABLE.c.kind == "here"))
    with engine.begin() as connection:
        ADD.run(connection, ROWS, {"kind": "here"})
        query = select(TABLE.c.id).where(either, not_(TABLE.c.id.in_(a_list("others"))))
        given = {"ids": list(range(20)), "words": ["it's"], "others": [*range(5, 90), 3]}
        assert sorted(Direct(query).rows(connection, given)) == [(0,), (1,), (2,), (4,)]
        assert sorted(Direct(query).rows(connection, {**given, "ids": [99]})) == [(2,)]


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
            [(number, "long" * 10, NOW, number / 2) for number in range(3)],
            [(3, "one", NOW, None)],
            [(number, None, None, 1.5) for number in (4, 5)],
        ):
            ADD.run(connection, rows, {"kind": "here"})
        values = [list(one.values()) if isinstance(one, dict) else list(one) for one in sent]
        assert sum(value == "long" * 10 for value in values[0]) == 1 and "[[0,0.0],[1,0.5],[2,1.0]]" in values[0]
        assert 3 in values[1] and "one" in values[1], "a row by itself needs no JSON"
        assert "[[4],[5]]" in values[2]
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


def test_errors_are_ours(engine: Engine) -> None:
    gone = Table("gone", MetaData(), Column("id", RowId))
    with engine.begin() as connection, pytest.raises(Rejected, match="^a table is missing (in|at) .*gone"):
        Direct(select(gone.c.id)).rows(connection)


def test_an_instant_without_a_zone_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(ValueError, match="has no zone"):
        ADD.run(connection, [(1, "one", NOW.replace(tzinfo=None), 0.0)], {"kind": "here"})


def test_a_lost_connection_is_used_no_more(mariadb: SqlServer) -> None:
    engine = make_engine(mariadb.create_database(), read_only=False, limits=Limits(10, 5))
    one = Direct(select(bindparam("x", 1)))
    with engine.connect() as connection, engine.connect() as other:
        number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        other.exec_driver_sql(f"KILL {number}")
        with pytest.raises(Unavailable):
            one.rows(connection)
        assert connection.invalidated
    with engine.connect() as connection:
        assert one.rows(connection, {"x": 7}) == [(7,)]
    engine.dispose()


def test_what_a_server_cuts_comes_row_by_row(mariadb: SqlServer) -> None:
    engine = make_engine(mariadb.create_database(), read_only=False, limits=Limits(10, 5))
    TABLE.metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [(number, "w" * 400, NOW, 0.5) for number in range(9)]
        ADD.run(connection, rows, {"kind": "here"})
        connection.exec_driver_sql("SET SESSION group_concat_max_len = 1024")
        assert sorted(Direct(QUERY, together=True).rows(connection, {"kind": "here"})) == rows
    engine.dispose()


def test_listeners_see_what_is_sent(engine: Engine) -> None:
    seen: list[Any] = []

    def refuse(*given: Any) -> None:
        seen.append(given[2].split()[0])
        if len(seen) > 1:
            raise Unavailable("no more")

    event.listen(engine, "before_cursor_execute", refuse)
    with engine.connect() as connection:
        found = Direct(select(TABLE.c.id))
        if engine.dialect.name != "sqlite":  # there the transaction begins with a statement
            assert found.rows(connection) == []
        with pytest.raises(Unavailable, match="^no more$"):
            found.rows(connection), found.rows(connection)
    assert seen[-1] == "SELECT"


def test_a_text_of_json_is_a_text(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(TABLE), [{"id": 1, "kind": "here", "word": '{"a": [1]}', "at": None, "share": None}])
        assert Direct(QUERY, together=True).rows(connection, {"kind": "here"}) == [(1, '{"a": [1]}', None, None)]
