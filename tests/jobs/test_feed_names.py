"""The names of the feeds that a task declares."""

from typing import Any

from janitor.jobs.feed_names import feed_names
from janitor.needs import DatabaseNeed, FeedNeed
from janitor.settings import Settings
from janitor.tasks import labware_location


def broken(url: Any) -> Any:
    """A feed that cannot be made."""
    raise LookupError(url)


def test_declared_feeds_tell_their_names() -> None:
    given = {name: "sqlite:///lab.db" for name in ("LABWHERE_DATABASE_URL", "MLWH_DATABASE_URL", "LAB_DATABASE_URL")}
    settings = Settings.load(given, dotenv=None)
    assert feed_names(labware_location.NEEDS, settings) == ("labware_location",)
    needs = (FeedNeed("LAB_DATABASE_URL", broken), DatabaseNeed("LAB_DATABASE_URL"), *labware_location.NEEDS * 2)
    assert feed_names(needs, settings) == ("labware_location",)


def test_without_its_database_a_feed_has_no_name() -> None:
    assert feed_names(labware_location.NEEDS, Settings.load({}, dotenv=None)) == ()
    malformed = Settings.load({"LAB_DATABASE_URL": "nonsense"}, dotenv=None)
    assert feed_names((FeedNeed("LAB_DATABASE_URL", broken),), malformed) == ()
