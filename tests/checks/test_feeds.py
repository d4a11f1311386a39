"""Feeds: `check` asks the very feed that the run will use whether it stands where it was read."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from janitor import databases
from janitor.checks.everything import findings
from janitor.checks.feeds import feeds_of, of_feed
from janitor.checks.finding import Finding
from janitor.feeds import Feed, position_after
from janitor.jobs import Job, schedules
from janitor.needs import DatabaseNeed, FeedNeed, Need
from janitor.settings import Settings
from janitor.state import State, cursors


def news(url: URL) -> Feed:
    return Feed("reader", url, "news", "id", (), timedelta(minutes=10))


NEED = FeedNeed("LAB_DATABASE_URL", news)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings for a table with the ids 1 to 20, and a state database that is not made yet."""
    lab = URL.create("sqlite", database=str(tmp_path / "lab.db"))
    engine = create_engine(lab)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE news (id INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO news (id) VALUES (:id)"), [{"id": id} for id in range(1, 21)])
    engine.dispose()
    state = f"sqlite:///{tmp_path / 'state.db'}"
    yield Settings.load({"LAB_DATABASE_URL": str(lab), "STATE_DATABASE_URL": state}, None)
    databases.dispose()


def read_up_to(settings: Settings, id: int) -> None:
    state = State(settings.state_database_url)
    state.migrate()
    with state.begin() as connection:
        cursors.save(connection, "reader", position_after(str(id)), datetime.now(timezone.utc), 1)
    state.close()


def test_each_feed_has_the_names_of_its_jobs() -> None:
    def job(name: str, *needs: Need) -> Job:
        return Job(name, print, (), {}, schedules.every(300), needs=needs)

    jobs = [job("a", NEED), job("b", DatabaseNeed("LAB_DATABASE_URL")), job("c", FeedNeed("LAB_DATABASE_URL", news))]
    assert feeds_of(jobs) == {NEED: "a, c"}


def test_a_feed_is_looked_at_without_another_need(settings: Settings) -> None:
    job = Job("a", print, (), {}, schedules.every(300), needs=(NEED,))
    texts = [finding.text for finding in findings(settings, [job])]
    assert "LAB_DATABASE_URL: the feed reader was not read yet (a)" in texts


def test_a_feed_that_was_not_read_yet(settings: Settings) -> None:
    found = Finding("ok", "LAB_DATABASE_URL: the feed reader was not read yet (a)")
    assert list(of_feed(settings, NEED, "a")) == [found]
    state = State(settings.state_database_url)
    state.migrate()
    state.close()
    assert list(of_feed(settings, NEED, "a")) == [found]


@pytest.mark.parametrize("id", [0, 12, 20])
def test_a_feed_that_stands_where_it_was_read(settings: Settings, id: int) -> None:
    read_up_to(settings, id)
    text = f"LAB_DATABASE_URL: the feed reader is where it was read, up to id {id} (a)"
    assert list(of_feed(settings, NEED, "a")) == [Finding("ok", text)]


def test_a_feed_that_went_backwards_is_wrong(settings: Settings) -> None:
    read_up_to(settings, 21)
    (found,) = of_feed(settings, NEED, "a")
    assert found.verdict == "WRONG"
    assert found.text.startswith("LAB_DATABASE_URL: news at ")
    assert "ends at id 20 now, and was read up to id 21 already: a backup was restored there" in found.text


def test_a_feed_whose_table_is_missing_is_wrong(settings: Settings, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'lab.db'}")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE news RENAME TO old"))
    engine.dispose()
    (found,) = of_feed(settings, NEED, "a")
    assert found.verdict == "WRONG" and "a table is missing in " in found.text
