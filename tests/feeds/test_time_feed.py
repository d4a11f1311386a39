"""Feeds by time: each row comes once for each of its times, also if it commits late within the lag.

Given: a table whose keys are uuids, with an indexed column of times; a feed with a server's time that the test sets.
What happens: rows are added and changed, dated up to the lag back, or ahead; the feed is drained; time passes.
What must hold: every row came once with each time that it had when the feed was drained, and no row twice.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, column, create_engine, text

from janitor import databases, memory
from janitor.errors import Rejected
from janitor.feeds import Feed, TimeFeed, TimePosition, position_after
from janitor.runs import Run
from tests.feeds.sources import source
from tests.random_inputs import inputs

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
LAG = timedelta(minutes=10)


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    kind = "DATETIME" if database_url.get_backend_name() == "sqlite" else "DATETIME(6)"
    table = f"CREATE TABLE news (name CHAR(36) PRIMARY KEY, at {kind}, word VARCHAR(9))"
    with source(database_url, table, "CREATE INDEX news_at ON news (at)") as engine:
        yield engine


@dataclass
class House:
    """The emptied table, its server's time, and what was read of it."""

    engine: Engine
    now: datetime = NOON
    read: list[tuple[datetime, str]] = field(default_factory=list)
    count = 0

    def __post_init__(self) -> None:
        House.count += 1
        self.feed = TimeFeed(
            f"reader{self.count}", self.engine.url, "news", "at", "name", (column("word"),), LAG, 4, clock=self.clock
        )
        self.do("DELETE FROM news")

    def clock(self, url: URL) -> datetime:
        return self.now

    def do(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def put(self, name: str, at: datetime | None, word: str = "") -> None:
        """Add a row, or give it another time."""
        values = {"name": name, "at": at and at.replace(tzinfo=None).isoformat(" "), "word": word}
        self.do("DELETE FROM news WHERE name = :name", name=name)
        self.do("INSERT INTO news (name, at, word) VALUES (:name, :at, :word)", **values)

    def drain(self) -> list[str]:
        reading, found = self.feed.open() or self.feed.begin_at_start(), []
        for page in reading.pages():
            found += [(self.feed.time_of(row.at), row.name) for row in page.rows]
            page.confirm()
        self.read += found
        return [name for _, name in found]

    def rows(self) -> set[tuple[datetime, str]]:
        with self.engine.connect() as connection:
            found = connection.execute(text("SELECT at, name FROM news WHERE at IS NOT NULL"))
            return {(self.feed.time_of(at), name) for at, name in found}

    def position(self) -> TimePosition:
        reading = self.feed.open()
        assert reading is not None
        return reading.position


@given(data=st.data())
@settings(max_examples=inputs(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_comes_once_for_each_of_its_times(engine: Engine, run: Run, data: st.DataObject) -> None:
    house, names = House(engine), [str(uuid.UUID(int=number)) for number in range(12)]
    # Whole and broken seconds; many rows share a time.
    back = st.sampled_from([0.0, 0.0, 0.0, 1.0, 1.0, 30.5, 599.0, -5.0, -3_600.0])
    for _ in range(data.draw(st.integers(1, 6))):
        house.now += timedelta(seconds=data.draw(st.sampled_from([0, 1, 60, 700, 4_000])))
        for name in data.draw(st.lists(st.sampled_from(names), max_size=9)):
            house.put(name, house.now - timedelta(seconds=data.draw(back)))
        house.drain()
        assert len(house.read) == len(set(house.read))
        assert house.rows() <= set(house.read)
        assert house.drain() == []


def test_what_commits_later_than_the_lag_is_lost(engine: Engine, run: Run) -> None:
    house = House(engine)
    house.put("a", NOON)
    assert house.drain() == ["a"]
    house.put("late", NOON - LAG + timedelta(seconds=1))
    house.put("too late", NOON - LAG - timedelta(minutes=1))
    house.put("without", None)
    assert house.drain() == ["late"]


def test_what_is_not_confirmed_comes_again(engine: Engine, run: Run) -> None:
    house = House(engine)
    for name in "abcdefghi":
        house.put(name, NOON)
    pages = house.feed.begin_at_start().pages()
    next(pages).confirm()
    page = next(pages)
    page.confirm(row for row in page.rows if row.name == "g")
    house.now += timedelta(hours=1)
    assert [row.name for row in next(pages).rows] == ["i"]
    assert house.drain() == ["e", "f", "h", "i"]


def test_a_run_stops_far_above_an_unconfirmed_row(engine: Engine, run: Run) -> None:
    # Given: old rows in 30 pages.
    # What happens: one row of the first page is never confirmed; in the end it is.
    # What must hold: a run keeps the keys of so many pages, the next one goes on there, and nothing is lost.
    house = House(engine)
    rows = [
        {"name": f"{number:03}", "at": (NOON - timedelta(days=3, seconds=-number)).replace(tzinfo=None).isoformat(" ")}
        for number in range(30 * 4)
    ]
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO news (name, at) VALUES (:name, :at)"), rows)

    def drain() -> list[str]:
        reading, taken = house.feed.open() or house.feed.begin_at_start(), []
        for page in reading.pages():
            of_page = [row for row in page.rows if row.name != "002"]
            page.confirm(of_page)
            taken += [row.name for row in of_page]
        return taken

    first = drain()
    assert len(first) == len(house.position().taken) == 4 * 20 - 1
    assert first + drain() == [row["name"] for row in rows if row["name"] != "002"]
    assert house.drain() == ["002"]
    assert house.position().taken == frozenset()


def test_a_cursor_forgets_what_is_settled(engine: Engine, run: Run) -> None:
    # Given: old rows, more than fit in a page, and a row dated an hour ahead.
    # What happens: all are read; time passes.
    # What must hold: only rows within the lag, or ahead, are remembered.
    house = House(engine)
    for number in range(20):
        house.put(f"old {number}", NOON - timedelta(days=3, seconds=number // 3))
    house.put("now", NOON)
    house.put("ahead", NOON + timedelta(hours=1))
    assert len(house.drain()) == 22
    assert {name for _, name in house.position().taken} == {"now", "ahead"}
    house.now += timedelta(minutes=30)
    assert house.drain() == []
    assert {name for _, name in house.position().taken} == {"ahead"}
    house.put("next", house.now)
    assert house.drain() == ["next"]


def test_a_first_look_starts_at_the_end(engine: Engine, run: Run) -> None:
    house = House(engine)
    house.put("old", NOON - timedelta(days=1))
    house.put("now", NOON)
    assert list(house.feed.begin_at_end().pages()) == []
    house.put("late", NOON - timedelta(minutes=5))
    house.put("old", NOON)
    assert house.drain() == ["late", "old"]


def test_a_filter(engine: Engine, run: Run) -> None:
    house = House(engine)
    house.feed = replace(house.feed, only=column("word") == "yes")
    for number in range(9):
        house.put(f"row {number}", NOON, "yes" if number % 3 == 0 else "no")
    assert house.drain() == ["row 0", "row 3", "row 6"]
    assert house.drain() == []


def test_a_table_that_went_backwards_is_told(engine: Engine, run: Run) -> None:
    # A row that was dated ahead, and is dated back, is no sign of it.
    house = House(engine)
    house.put("a", NOON - timedelta(minutes=15))
    house.put("b", NOON + timedelta(hours=1))
    assert house.drain() == ["a", "b"]
    house.now += timedelta(seconds=5)
    house.put("b", house.now)
    assert house.drain() == ["b"]
    house.do("DELETE FROM news WHERE name = 'b'")
    with pytest.raises(
        Rejected, match="^news at .* ends at 2026-07-01 11:45:00, and was read up to 2026-07-01 12:00:05"
    ):
        house.drain()
    house.put("b", house.now)
    assert house.drain() == []


def test_a_zero_date_is_no_time(engine: Engine, run: Run) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("a zero date is MySQL's")
    house = House(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql("INSERT INTO news (name, at) VALUES ('zero', '0000-00-00')")
        connection.exec_driver_sql("SET sql_mode = DEFAULT")
    assert house.drain() == []
    house.put("a", NOON)
    assert house.drain() == ["a"]


def test_a_cursor_of_another_kind_is_told(engine: Engine, run: Run) -> None:
    # Given: a job that followed ids, and one that followed times.
    # What happens: each follows the other kind of feed.
    # What must hold: both are told in words, by the run and by `check`, and no cursor is touched.
    house = House(engine)
    by_id = Feed(house.feed.name, engine.url, "news", "name", (), LAG)
    memory.save_cursor(house.feed.name, position_after("7"))
    with pytest.raises(Rejected, match=f"^the cursor {house.feed.name} is not that of such a feed: .* --set start`"):
        house.drain()
    memory.save_cursor(house.feed.name, TimePosition(NOON, NOON).dump())
    with pytest.raises(Rejected, match="is not that of such a feed"):
        by_id.open()
    with pytest.raises(Rejected, match="is not that of such a feed"):
        by_id.standing(memory.cursor(house.feed.name))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC"])
def test_no_clock_that_is_set_back_hides_a_row(engine: Engine, run: Run, zone: str) -> None:
    # Given: times in a zone; its clocks are set back in this year.
    # What happens: each quarter of an hour of the night a row is dated, and the feed drained.
    # What must hold: every row comes, also in the hour that comes twice.
    house = House(engine)
    local = ZoneInfo(zone)
    house.feed = replace(house.feed, zone=local)
    month = 4 if zone.startswith("Australia") else 11 if zone.startswith("America") else 10
    day = {4: 4, 11: 1, 10: 24}[month]
    house.now = datetime(2026, month, day, 11, tzinfo=UTC)
    for number in range(60):
        house.now += timedelta(minutes=15)
        house.put(f"row {number}", house.now.astimezone(local))
        assert house.drain() == [f"row {number}"]
    assert house.drain() == []


def test_a_column_without_times_is_refused(engine: Engine, run: Run) -> None:
    house = House(engine)
    house.do("INSERT INTO news (name, word) VALUES ('a', 'soon')")
    house.feed = replace(house.feed, time_column="word")
    with pytest.raises(
        Rejected, match="news.word at .* holds 'soon': a feed by time needs a column of dates with times"
    ):
        house.drain()


def test_the_server_tells_its_time(database_url: URL) -> None:
    feed = TimeFeed("reader", database_url, "news", "at", "name", (), LAG)
    create_engine(database_url).connect().close()
    assert abs(feed.clock(database_url) - datetime.now(UTC)) < timedelta(minutes=5)
    databases.dispose()
