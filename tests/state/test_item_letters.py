"""Dead letters: listed, dropped, and counted."""

from dataclasses import replace

from sqlalchemy import select, update

from janitor.runs import bounds
from janitor.state import State, item_counts, item_letters
from janitor.state.item_tables import item_letters as letters
from tests.state.parcels import NOW, PLAN, SECOND, save


def bury(state: State, *messages: str, pipeline: str = "parcels") -> list[int]:
    """Keep messages as dead letters; the ids of all of the pipeline's."""
    save(state, replace(PLAN, pipeline=pipeline))
    with state.begin() as connection:
        for at, message in enumerate(messages):
            now = NOW + at * SECOND
            item_letters.add(connection, pipeline, "desk", "it is no JSON", message, len(message.encode()), "k", now)
        query = select(letters.c.id).where(letters.c.pipeline == pipeline).order_by(letters.c.id)
        return list(connection.execute(query).scalars())


def counted(state: State) -> dict[str, int]:
    """How many dead letters are counted, by pipeline."""
    with state.read() as connection:
        counts = item_counts.read(connection)
    assert {(one.step, one.state, one.status) for one in counts} <= {(":inboxes", 5, "dead letters")}
    return {one.pipeline: one.number for one in counts}


def test_letters_are_listed_page_by_page_until_they_are_dropped(state: State) -> None:
    ids = bury(state, "one", "two", "three", "four")
    [other] = bury(state, "elsewhere", pipeline="stars")
    with state.read() as connection:
        page = item_letters.find(connection, "parcels", limit=3)
        rest = item_letters.find(connection, "parcels", after=page[-1].id, limit=3)
    assert [row.id for row in [*page, *rest]] == ids[::-1]
    assert (page[0].message, page[0].bytes, page[0].key, page[0].at) == ("four", 4, "k", NOW + 3 * SECOND)
    assert counted(state) == {"parcels": 4, "stars": 1}
    with state.begin() as connection:
        assert item_letters.drop(connection, [ids[1], ids[2], other, 10**9], "anna", NOW) == 3
        assert item_letters.drop(connection, [ids[1]], "bert", NOW) == 0
    with state.read() as connection:
        assert [row.id for row in item_letters.find(connection, "parcels")] == [ids[3], ids[0]]
        row = item_letters.one(connection, ids[1])
        assert item_letters.one(connection, 10**9) is None and item_letters.find(connection, "stars") == []
    assert row is not None and (row.dropped_by, row.dropped_at) == ("anna", NOW)
    assert counted(state) == {"parcels": 2}


def test_a_message_is_whole_if_nothing_of_it_was_cut_or_masked(state: State) -> None:
    long = "x" * (bounds.TRACEBACK + 5)
    ids = bury(state, '{"a": 1}', '{"token": "***"}', long, "é" * 9)
    with state.begin() as connection:
        # An inbox hands on only the beginning of what is very long.
        connection.execute(update(letters).where(letters.c.id == ids[3]).values(bytes=bounds.TRACEBACK + 1))
        rows = {row.id: row for row in item_letters.find(connection, "parcels")}
    assert [item_letters.is_whole(rows[item_id]) for item_id in ids] == [True, False, False, False]
    assert len(rows[ids[2]].message) <= bounds.TRACEBACK and rows[ids[2]].bytes == len(long)
