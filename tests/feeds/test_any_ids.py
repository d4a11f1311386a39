"""Feeds of any ids: near or far apart, negative or unsigned, a feed reads what a plain model reads, at the same cost.

Given: a table whose ids may be any numbers of 64 bits, and a feed with a clock that the test sets.
What happens: rows are added anywhere, the feed is drained, and time passes.
What must hold: the rows of each run are those of the model; the server reads as many rows as there are, not more.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, create_engine, text

from janitor import databases
from janitor.errors import Rejected
from janitor.feeds import Feed
from janitor.feeds.position import MOST_RANGES
from janitor.runs import Run
from tests.feeds.model import LAG, Clock
from tests.feeds.sources import source
from tests.random_inputs import inputs

SNOWFLAKES = [(1_700_000_000_000 + 1_000 * second) << 22 for second in range(2_000)]
ENDS = {"sqlite": (-(2**63), 2**63 - 1), "mysql": (0, 2**64 - 1)}
READS = "Handler_read_first', 'Handler_read_key', 'Handler_read_next', 'Handler_read_last', 'Handler_read_prev"


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    kind = "INTEGER" if database_url.get_backend_name() == "sqlite" else "BIGINT UNSIGNED"
    with source(database_url, f"CREATE TABLE news (id {kind} PRIMARY KEY)") as engine:
        yield engine


class Reader:
    """A feed of its own name over the emptied table, and the model of what it reads."""

    count = 0

    def __init__(self, engine: Engine, page_rows: int = 10) -> None:
        Reader.count += 1
        self.engine, self.clock = engine, Clock()
        self.feed = Feed(
            f"reader{self.count}", engine.url, "news", "id", (), timedelta(seconds=LAG), page_rows, self.clock
        )
        self.ids, self.read = set[int](), set[int]()
        self.mark, self.seen = -(2**64), list[tuple[float, int]]()
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM news"))

    def add(self, *ids: int) -> None:
        self.ids |= set(ids)
        with self.engine.begin() as connection:
            connection.execute(text("INSERT INTO news (id) VALUES (:id)"), [{"id": id} for id in ids])

    def drain(self) -> list[int]:
        reading = self.feed.open() or self.feed.begin_at_start()
        found = []
        for page in reading.pages():
            found += [row.id for row in page.rows]
            page.confirm()
        return found

    def modelled(self) -> list[int]:
        """What a run must read now: first what is in the gaps, then what is above the top."""
        top = max(self.read, default=-(2**64))
        late = sorted(id for id in self.ids - self.read if self.mark < id <= top)
        self.mark = max([self.mark, *(seen for at, seen in self.seen if at + LAG < self.clock())])
        new = sorted(id for id in self.ids if id > top)
        self.read |= {*late, *new}
        if new:
            self.seen.append((self.clock(), new[-1]))
        return late + new


def rows_read(engine: Engine) -> int:
    """How many rows and keys the server has read for anybody."""
    with engine.connect() as connection:
        found = connection.execute(text(f"SHOW GLOBAL STATUS WHERE Variable_name IN ('{READS}')"))
        return sum(int(row[1]) for row in found)


@given(data=st.data())
@settings(max_examples=inputs(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_feed_of_any_ids_reads_as_the_model_does(engine: Engine, run: Run, data: st.DataObject) -> None:
    lowest, highest = ENDS[engine.dialect.name]
    reader, near = Reader(engine), data.draw(st.integers(lowest + 50, highest - 50))
    one = st.one_of(st.integers(lowest, highest), st.integers(near - 50, near + 50), st.sampled_from([lowest, highest]))
    first = data.draw(one)
    reader.add(first)
    for _ in range(data.draw(st.integers(1, 5))):
        reader.clock.now += data.draw(st.sampled_from([0.0, LAG / 2, 2 * LAG]))
        # A row below the first that was ever there need not be found: ids grow.
        if ids := {id for id in data.draw(st.sets(one, max_size=15)) - reader.ids if id >= min(1, first)}:
            reader.add(*ids)
        assert reader.drain() == reader.modelled()


@pytest.mark.parametrize("ids", [[1, 2**63 - 1], SNOWFLAKES, SNOWFLAKES[: MOST_RANGES // 2]], ids=len)
def test_the_cost_follows_the_rows_and_never_the_ids(engine: Engine, run: Run, ids: list[int]) -> None:
    # Given: rows whose ids are far apart.
    # What happens: all are read; then a run without news; then rows commit late between them.
    # What must hold: the late rows come, and no run reads more than the rows, and a key for each gap.
    reader = Reader(engine, page_rows=500)
    reader.add(*ids)
    assert reader.drain() == ids
    on_server = engine.dialect.name == "mysql"
    before = rows_read(engine) if on_server else 0
    assert reader.drain() == []
    if on_server:
        assert rows_read(engine) - before <= 2 * min(len(ids), MOST_RANGES) + max(0, len(ids) - MOST_RANGES) + 20
    late = [ids[0] + 5, ids[-2] + 7, ids[-1] - 1]
    reader.add(*late)
    assert reader.drain() == sorted(late)
    reader.clock.now += 2 * LAG
    assert reader.drain() == []
    assert reader.drain() == []


def test_a_cursor_keeps_a_bounded_number_of_ids(engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a bound of 100 parts, and more ids than that, far apart.
    # What happens: they are read, and rows commit late below and above the middle.
    # What must hold: every row came once; of the late rows the upper comes.
    monkeypatch.setattr("janitor.feeds.ids.MOST_PARTS", 100)
    reader = Reader(engine, page_rows=30)
    reader.add(*SNOWFLAKES[:300])
    assert reader.drain() == SNOWFLAKES[:300]
    reader.add(SNOWFLAKES[10] + 1, SNOWFLAKES[290] + 1)
    assert reader.drain() == [SNOWFLAKES[290] + 1]


def test_late_rows_count_for_the_bound_too(engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a bound of 100 parts, and a row whose id is far ahead of all others.
    # What happens: more rows than the bound come below it.
    # What must hold: each comes once, and the cursor is small afterwards.
    monkeypatch.setattr("janitor.feeds.ids.MOST_PARTS", 100)
    reader = Reader(engine, page_rows=30)
    reader.add(SNOWFLAKES[0], SNOWFLAKES[-1])
    reader.drain()
    reader.add(*SNOWFLAKES[1:401])
    assert reader.drain() == SNOWFLAKES[1:401]
    reading = reader.feed.open()
    assert reading is not None and len(reading.position.taken) <= 100


@pytest.mark.parametrize("ids", [SNOWFLAKES[:300], list(range(1, 301))], ids=["far apart", "near"])
def test_a_run_stops_far_above_an_unconfirmed_row(
    engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch, ids: list[int]
) -> None:
    # Given: a bound of 100 parts, and 30 pages; of ids far apart they do not fit in the cursor.
    # What happens: one row of the first page is never confirmed; in the end it is.
    # What must hold: a run stops some pages above it if the cursor is full, and the next one goes on. Nothing is lost.
    monkeypatch.setattr("janitor.feeds.ids.MOST_PARTS", 100)
    reader, unconfirmed = Reader(engine, page_rows=10), ids[3]
    reader.add(*ids)

    def drain() -> list[int]:
        reading, taken = reader.feed.open() or reader.feed.begin_at_start(), []
        for page in reading.pages():
            taken += (of_page := [row.id for row in page.rows if row.id != unconfirmed])
            page.confirm(of_page)
        return taken

    others = [id for id in ids if id != unconfirmed]
    first = drain()
    assert first == (others[: 10 * 20 - 1] if ids[0] in SNOWFLAKES else others)
    assert first + drain() == others
    assert reader.drain() == [unconfirmed]


@pytest.mark.parametrize("value", ["DN7", "0.5"])
def test_ids_that_are_no_whole_numbers_are_refused(database_url: URL, run: Run, value: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE news (id {'CHAR(9)' if value == 'DN7' else 'DOUBLE'} PRIMARY KEY)"))
        connection.execute(text("INSERT INTO news (id) VALUES (:id)"), {"id": value})
    with pytest.raises(Rejected, match=r"news.id at .* holds .*: a feed needs a column of whole numbers"):
        Feed("reader", engine.url, "news", "id", (), timedelta(seconds=LAG)).begin_at_start()
    engine.dispose()
    databases.dispose()
