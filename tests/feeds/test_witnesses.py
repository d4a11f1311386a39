"""A table that went backwards: the feed says so, takes nothing, and goes on when the table is right again.

Given: a table `news`, read up to id 20, and a late row that is still to come.
What happens: its newest rows are gone, as after a restored backup or on a replica that lags; others may have come.
What must hold: no row is taken and the cursor stays; the error says which ids, and the ways on work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import URL, Engine, column, text

from janitor.errors import Rejected
from janitor.feeds import Feed, Position, position_after
from janitor.runs import Run
from janitor.state import cursors
from tests.feeds.model import LAG, Clock
from tests.feeds.sources import source

ENDS_AT_15 = (
    r"^news at .* ends at id 15 now, and was read up to id 20 already: a backup was restored there, or it is a "
)
ANOTHER_ROW = (
    r"^news at .* has another row at id \d+ than the row that was read: a backup was restored there, and its ids"
)


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    table = "CREATE TABLE news (id INTEGER PRIMARY KEY, word VARCHAR(20), state VARCHAR(20))"
    with source(database_url, table) as engine:
        yield engine


@pytest.fixture
def feed(engine: Engine, run: Run) -> Feed:
    """A feed that has read the ids 1 to 20, without 7."""
    lag = timedelta(seconds=LAG)
    feed = Feed("reader", engine.url, "news", "id", (column("word"),), lag, fixed=("word",), clock=Clock())
    add(engine, [*range(1, 7), *range(8, 21)])
    assert drain(feed) == [*range(1, 7), *range(8, 21)]
    return feed


def do(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def add(engine: Engine, ids: Sequence[int], word: str = "word") -> None:
    rows = [{"id": id, "word": f"{word} {id}"} for id in ids]
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO news (id, word) VALUES (:id, :word)"), rows)


def drain(feed: Feed) -> list[int]:
    reading = feed.open() or feed.begin_at_start()
    found = []
    for page in reading.pages():
        found += [row.id for row in page.rows]
        page.confirm()
    return found


def saved(run: Run) -> str | None:
    with run.state.begin() as connection:
        return cursors.load(connection, "reader")


def set_cursor(run: Run, id: str) -> None:
    with run.state.begin() as connection:
        cursors.save(connection, "reader", position_after(id), datetime.now(timezone.utc), 0)


def test_a_table_that_ends_below_what_was_read(feed: Feed, engine: Engine, run: Run) -> None:
    before = saved(run)
    do(engine, "DELETE FROM news WHERE id > 15")
    add(engine, [7])
    for _ in range(3):
        with pytest.raises(
            Rejected, match=ENDS_AT_15 + "replica that lags. Nothing was taken. If it lags, a later run"
        ):
            drain(feed)
    assert saved(run) == before


def test_a_table_that_is_empty_now(feed: Feed, engine: Engine, run: Run) -> None:
    do(engine, "DELETE FROM news")
    with pytest.raises(Rejected, match="^news at .* has no row now, and was read up to id 20 already"):
        drain(feed)
    set_cursor(run, "0")
    assert drain(feed) == []
    add(engine, [1])
    assert drain(feed) == [1]


def test_a_replica_that_lagged_goes_on_by_itself(feed: Feed, engine: Engine) -> None:
    do(engine, "DELETE FROM news WHERE id > 15")
    with pytest.raises(Rejected, match=ENDS_AT_15):
        drain(feed)
    add(engine, range(16, 23))
    add(engine, [7])
    assert drain(feed) == [7, 21, 22]


@pytest.mark.parametrize("news", [range(16, 21), range(16, 40), [20, 21]], ids=str)
def test_ids_that_were_given_anew_are_noticed(feed: Feed, engine: Engine, run: Run, news: Sequence[int]) -> None:
    # The table has come as far as it was, or further: only the rows themselves tell.
    do(engine, "DELETE FROM news WHERE id > 15")
    add(engine, news, "other")
    before = saved(run)
    with pytest.raises(Rejected, match=ANOTHER_ROW):
        drain(feed)
    assert saved(run) == before
    set_cursor(run, "15")
    assert drain(feed) == list(news)


def test_ids_that_are_given_anew_while_it_reads_are_noticed(feed: Feed, engine: Engine, run: Run) -> None:
    # The table was as it should be when the feed was opened, and was not when its news were read.
    before, reading = saved(run), feed.open()
    assert reading is not None
    do(engine, "DELETE FROM news WHERE id > 15")
    add(engine, [7, *range(16, 40)], "other")
    with pytest.raises(Rejected, match=ANOTHER_ROW):
        next(reading.pages())
    assert saved(run) == before


def test_a_first_look_has_witnesses_too(feed: Feed, engine: Engine) -> None:
    anew = replace(feed, name="other")
    anew.begin_at_end()
    assert drain(anew) == []
    do(engine, "UPDATE news SET word = 'other' WHERE id = 20")
    with pytest.raises(Rejected, match=ANOTHER_ROW):
        drain(anew)


def test_rows_that_change_or_go_are_no_sign(feed: Feed, engine: Engine) -> None:
    # Only fixed columns count. A table may lose rows, if it does not end below what was read.
    do(engine, "UPDATE news SET state = 'done'")
    assert drain(feed) == []
    add(engine, [30])
    do(engine, "DELETE FROM news WHERE id BETWEEN 18 AND 20")
    assert drain(feed) == [30]
    do(engine, "DELETE FROM news WHERE id < 30")
    assert drain(feed) == []


def test_a_cursor_of_an_earlier_release_has_no_witnesses(feed: Feed, run: Run) -> None:
    text = (saved(run) or "").replace('"witnesses"', '"unknown"')
    assert Position.load(text) == replace(Position.load(saved(run) or ""), witnesses=())


def test_an_id_beyond_the_end_set_by_hand_is_told(feed: Feed, run: Run) -> None:
    set_cursor(run, "2000")
    with pytest.raises(Rejected, match="ends at id 20 now, and was read up to id 2000 already"):
        drain(feed)
