"""Statements that go straight to the driver: what they write and read is what SQLAlchemy's own would.

Given: a table on SQLite and on a server. What happens: rows with hostile texts go in and come back.
What must hold: they are the same; errors are ours; what a statement is, listeners see.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    MetaData,
    Table,
    and_,
    bindparam,
    event,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from janitor.databases.direct import FEW, Direct, a_list
from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.errors import Rejected, Unavailable
from janitor.state.tables import RowId
from tests.databases.words import ADD, HOSTILE, NOW, QUERY, ROWS, TABLE
from tests.servers import SqlServer


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


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("ids", [[1, 2, 3], list(range(1, 30))])
def test_whether_something_is_so_comes_as_a_bool(engine: Engine, together: bool, ids: list[int]) -> None:
    # MariaDB puts false into a JSON array as "0", and into another one as false.
    with engine.begin() as connection:
        ADD.run(connection, [(number, f"w{number}", NOW, 0.0) for number in ids], {"kind": "here"})
        other, third = TABLE.alias(), TABLE.alias()
        is_so = exists().where(other.c.id == TABLE.c.id + 1), exists().where(other.c.id == TABLE.c.id + 99)
        query = select(TABLE.c.id, *is_so).join_from(TABLE, third, third.c.id == TABLE.c.id)
        found = Direct(query.where(TABLE.c.id.in_(a_list("ids"))), together=together).rows(connection, {"ids": ids})
    assert sorted(found) == [(number, number != ids[-1], False) for number in ids]


def test_a_few_rows_come_as_a_text_each(engine: Engine) -> None:
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    query = Direct(QUERY.where(TABLE.c.id.in_(a_list("ids"))), together=True)
    with engine.begin() as connection:
        ADD.run(connection, ROWS, {"kind": "here"})
        for count in (FEW, FEW + 1):
            found = query.rows(connection, {"kind": "here", "ids": list(range(count))})
            assert sorted(found) == ROWS[:count]
            assert ("AGG" in sent[-1] or "group_array" in sent[-1]) is (engine.name == "sqlite" or count > FEW)


def test_a_text_that_a_server_leaves_out_comes_by_itself(mariadb: SqlServer) -> None:
    engine = make_engine(mariadb.create_database(), read_only=False, limits=Limits(10, 5))
    TABLE.metadata.create_all(engine)
    query = Direct(QUERY.where(TABLE.c.id.in_(a_list("ids"))), together=True)
    with engine.begin() as connection:
        most = connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
        count = int(most) * 2 // 3  # in JSON each is two characters
        ADD.run(connection, [(1, "", NOW, 0.0)], {"kind": "here"})
        connection.execute(update(TABLE).values(word=func.repeat('"', count)))
        assert query.rows(connection, {"kind": "here", "ids": [1]}) == [(1, '"' * count, NOW, 0.0)]
    engine.dispose()
