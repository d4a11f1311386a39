"""Feeds: each row comes once, also if it commits late; what is not confirmed comes again.

Given: a table `news`, a feed on its ids, and a clock that the test sets.
What happens: rows are added, also below ids that were read; the feed is drained; time passes.
What must hold: each row comes once and in order, and the cursor moves only over what was confirmed.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL, Connection, Engine, column, text

from janitor import databases
from janitor.feeds import Feed, Position, Reading, describe, ids, position_after
from janitor.runs import Fence, Run
from janitor.state import cursors, leases
from tests.feeds.model import LAG, Clock, tick
from tests.feeds.sources import source


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    with source(database_url, "CREATE TABLE news (id INTEGER PRIMARY KEY, word VARCHAR(20))") as engine:
        yield engine


@pytest.fixture
def feed(engine: Engine, run: Run, clock: Clock) -> Feed:
    return Feed("reader", engine.url, "news", "id", (column("word"),), timedelta(seconds=LAG), 10, clock)


def add(engine: Engine, *ids: int) -> None:
    with engine.begin() as connection:
        insert(connection, *ids)


def insert(connection: Connection, *ids: int) -> None:
    rows = [{"id": id, "word": f"word {id}"} for id in ids]
    connection.execute(text("INSERT INTO news (id, word) VALUES (:id, :word)"), rows)


def drain(feed: Feed) -> list[int]:
    """One run: read and confirm all new rows; their ids."""
    reading = feed.open() or feed.begin_at_start()
    found = []
    for page in reading.pages():
        found += [row.id for row in page.rows]
        page.confirm()
    return found


def position(feed: Feed) -> Position:
    reading = feed.open()
    assert reading is not None
    return reading.position


def test_each_row_comes_once_in_order(feed: Feed, engine: Engine) -> None:
    add(engine, *range(1, 38))
    assert drain(feed) == list(range(1, 38))
    assert drain(feed) == []
    add(engine, 40, 41)
    assert drain(feed) == [40, 41]


def test_rows_carry_their_columns(feed: Feed, engine: Engine) -> None:
    add(engine, 7)
    [page] = list(feed.begin_at_start().pages())
    assert [(row.id, row.word) for row in page.rows] == [(7, "word 7")]


def test_a_commit_under_the_mark_is_found(feed: Feed, engine: Engine, clock: Clock) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: no transaction commits after a later one")
    with engine.connect() as slow:
        insert(slow, 1)
        add(engine, 2)
        assert drain(feed) == [2]
        clock.now += LAG / 2
        assert drain(feed) == []
        slow.commit()
    assert drain(feed) == [1]
    clock.now += 10 * LAG
    assert drain(feed) == []


def test_what_is_not_confirmed_comes_again(feed: Feed, engine: Engine) -> None:
    add(engine, 1, 2, 3, 4)
    [page] = list(feed.begin_at_start().pages())
    page.confirm([1, 3])
    assert drain(feed) == [2, 4]


def test_what_is_not_confirmed_never_settles(feed: Feed, engine: Engine, clock: Clock) -> None:
    add(engine, 1, 2, 3)
    [page] = list(feed.begin_at_start().pages())
    page.confirm([1, 3])
    for _ in range(3):
        clock.now += 2 * LAG
        reading = feed.open()
        assert reading is not None
        assert [row.id for late in reading.pages() for row in late.rows] == [2]
    assert drain(feed) == [2]


@pytest.mark.parametrize("page", [0, 1, 2])
def test_an_unconfirmed_page_of_late_rows_settles_nothing(feed: Feed, engine: Engine, clock: Clock, page: int) -> None:
    # Given: a feed that was read up to 100, and three pages of rows that commit late, below that.
    # What happens: a run, longer after that than the lag, confirms two of the pages. A later run confirms what it gets.
    # What must hold: the third page comes again.
    add(engine, 100)
    drain(feed)
    clock.now += 2 * LAG
    add(engine, *range(1, 31))
    reading = feed.open()
    assert reading is not None
    unconfirmed = []
    for number, late in enumerate(reading.pages()):
        if number == page:
            unconfirmed = [row.id for row in late.rows]
        else:
            late.confirm()
    assert len(unconfirmed) == 10 and drain(feed) == unconfirmed


def test_a_full_cursor_gives_up_no_unconfirmed_row(feed: Feed, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a cursor that is full after a few ids, and four pages of ids far apart.
    # What happens: a run confirms all but the first of them. What must hold: the next run gets it again.
    monkeypatch.setattr(ids, "MOST_PARTS", 2)
    add(engine, *range(2**17, 40 * 2**17, 2**17))
    for page in feed.begin_at_start().pages():
        page.confirm([row.id for row in page.rows if row.id > 2**17])
    assert drain(feed) == [2**17]


def test_the_mark_rises_after_the_lag(feed: Feed, engine: Engine, clock: Clock) -> None:
    add(engine, 5, 6, 9)
    drain(feed)
    clock.now += LAG - 1
    drain(feed)
    assert position(feed).mark == 0
    clock.now += 2
    drain(feed)
    assert (position(feed).mark, len(position(feed).taken), position(feed).seen) == (9, 0, ())


def test_a_read_that_began_too_early_settles_nothing(feed: Feed, engine: Engine, clock: Clock) -> None:
    add(engine, 5)
    drain(feed)
    reading = feed.open()
    assert reading is not None
    clock.now += LAG + 1
    began_before = clock.now - LAG - 1
    assert reading.position.settle(began_before, LAG) is reading.position
    assert reading.position.settle(clock.now, LAG).mark == 5


def test_a_first_look_starts_at_the_end(feed: Feed, engine: Engine) -> None:
    add(engine, 1, 2, 20)
    reading = feed.begin_at_end()
    assert list(reading.pages()) == []
    assert all(id in reading.position.origin for id in (1, 2, 20))
    add(engine, 3, 21)
    assert drain(feed) == [3, 21]
    assert 3 not in position(feed).origin and 2 in position(feed).origin


def test_a_first_look_remembers_the_last_rows(feed: Feed, engine: Engine) -> None:
    # Given: more rows than a first look remembers, the ids far apart.
    # What happens: after the first look, rows commit below them and among them.
    # What must hold: what is among the remembered rows is found, what is below them is not.
    add(engine, *range(1_000, 10_050_000, 1_000))
    feed.begin_at_end()
    lowest = position(feed).mark + 1
    assert (lowest, len(position(feed).taken)) == (50_000, 10_000)
    add(engine, 40_001, 50_001, 9_000_001)
    assert drain(feed) == [50_001, 9_000_001]


def test_a_first_look_at_an_empty_feed(feed: Feed, engine: Engine) -> None:
    feed.begin_at_end()
    add(engine, 1)
    assert drain(feed) == [1]


def test_a_feed_never_read_is_not_open(feed: Feed) -> None:
    assert feed.open() is None


def test_a_restart_of_the_machine_settles_nothing_early(feed: Feed, engine: Engine, clock: Clock) -> None:
    add(engine, 5)
    drain(feed)
    saved = position(feed).dump().replace('"era": "', '"era": "before-')
    loaded = Position.load(saved, lambda: 7.0)
    assert loaded.mark == 0 and loaded.top == 5
    assert [loaded.settle(7.0 + LAG + later, LAG).mark for later in (-0.5, 0.5)] == [0, 5]


def test_a_dry_run_saves_no_cursor(feed: Feed, engine: Engine, run: Run) -> None:
    run.dry_run = True
    add(engine, 1)
    assert drain(feed) == [1]
    assert feed.open() is None


def test_a_fenced_out_run_moves_no_cursor(feed: Feed, engine: Engine, run: Run) -> None:
    with run.state.begin() as connection:
        mine = leases.acquire(connection, "job:reader", "someone|else", run.state.now(connection), 60)
        assert mine is not None
        run.fences["job:reader"] = Fence("job:reader", mine.token + 1)
    add(engine, 1)
    with pytest.raises(Exception, match="another process holds job:reader"):
        drain(feed)
    with run.state.begin() as connection:
        assert cursors.load(connection, "reader") is None


def test_many_gaps_are_read_in_one_stretch(feed: Feed, engine: Engine) -> None:
    add(engine, *range(2, 4_400, 2))
    assert len(drain(feed)) == 2_199
    add(engine, 3, 4_001)
    assert drain(feed) == [3, 4_001]


def test_a_big_gap_costs_one_range(feed: Feed, engine: Engine) -> None:
    add(engine, 1_000_000_000)
    drain(feed)
    assert position(feed).gaps() == [(1, 999_999_999)]
    add(engine, 500_000_000)
    assert drain(feed) == [500_000_000]


def test_gaps_leave_no_statement_in_memory(feed: Feed, engine: Engine) -> None:
    kept = []
    for turn in range(3):
        add(engine, 10 * turn + 1, 10 * turn + 5)
        drain(feed)
        add(engine, 10 * turn + 3)
        assert drain(feed) == [10 * turn + 3]
        with databases.read(feed.url) as connection:
            kept.append(len(connection.engine._compiled_cache or ()))
    assert 0 < kept[0] == kept[-1]


def test_a_position_is_set_by_hand(feed: Feed, engine: Engine, run: Run) -> None:
    add(engine, 1, 2, 3)
    drain(feed)
    with run.state.begin() as connection:
        cursors.save(connection, "reader", position_after("1"), run.started_at, 1)
    assert drain(feed) == [2, 3]


def test_a_position_in_words(feed: Feed, engine: Engine, clock: Clock) -> None:
    add(engine, 1, 2, 3)
    drain(feed)
    clock.now += 2 * LAG
    add(engine, 5, 8)
    drain(feed)
    assert describe(position(feed).dump()) == {"top": 8, "settled": 3, "taken_above": 2, "gaps": 3}


def test_a_filter_passes_rows_over(feed: Feed, engine: Engine, clock: Clock) -> None:
    # Given: a feed of the rows whose word ends with 3, in pages of 10.
    # What happens: it is drained; then rows commit late, wanted and not; in the end nothing is confirmed.
    # What must hold: only wanted rows come, each once; the cursor moves over the others, and leaves no gap there.
    wanted = replace(feed, only=column("word").like("%3"))
    add(engine, *range(1, 20), *range(25, 60), 100)
    assert drain(wanted) == [3, 13, 33, 43, 53]
    assert (position(wanted).top, len(position(wanted).taken)) == (100, 55)
    add(engine, 20, 23, 24, 63, 101)
    reading = wanted.open()
    assert reading is not None
    assert [[row.id for row in page.rows] for page in reading.pages()] == [[23, 63]]
    assert drain(wanted) == [23, 63]
    clock.now += 2 * LAG
    assert drain(wanted) == []
    assert position(wanted).mark == 101


def test_a_row_without_a_value_is_passed_over(feed: Feed, engine: Engine) -> None:
    wanted = replace(feed, only=column("word") != "no")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO news (id, word) VALUES (1, NULL), (2, 'no'), (3, 'yes')"))
    assert drain(wanted) == [3]
    assert position(wanted).top == 3


def test_a_feed_reads_as_the_model_does(feed: Feed, engine: Engine, clock: Clock) -> None:
    add(engine, 2, 4)
    reading = feed.begin_at_start()
    assert isinstance(reading, Reading)
    for page in reading.pages():
        page.confirm()
    add(engine, 1, 3, 6)
    clock.now += 2 * LAG
    expected, read = tick(reading.position, {1, 2, 3, 4, 6}, clock.now, 0)
    assert drain(feed) == read
    assert position(feed) == expected


def test_a_task_whose_cursor_is_new_says_where_it_begins(
    feed: Feed, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    feed.begin_at_end()
    assert "reader has no cursor yet: it begins at the end of news, which is empty; what is there is not" in caplog.text
    add(engine, 3, 7)
    feed.begin_at_end()
    assert (
        "reader has no cursor yet: it begins at the end of news, after id 7; what is there is not read" in caplog.text
    )
    feed.begin_at_end(snapshot=True)
    assert "after id 7; all rows are read beside that, from the first key on" in caplog.text
    feed.begin_at_start()
    assert "reader has no cursor yet: it begins at the start of news, and reads all that is there" in caplog.text
    caplog.clear()
    assert drain(feed) == [3, 7] and "has no cursor" not in caplog.text
