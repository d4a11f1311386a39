"""Cleaning up: the cleanups of an item's steps are called before it is deleted, the last step first."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.errors import JanitorError
from janitor.items import Item, Step
from janitor.items.cleaning import clean_up, has_cleanup
from janitor.runs import PastItem
from janitor.settings import Settings
from tests.items.house import NAME, house

CLEANED: list[PastItem] = []
WITH: list[Settings] = []


def write(item: Item) -> None:
    """Leave a result."""
    item.result = {"file": item.key}


def fail(item: Item) -> None:
    """Fail."""
    raise ValueError("no room")


def tidy(item: PastItem) -> None:
    """Take away what a step left."""
    CLEANED.append(item)


def tidy_with(item: PastItem, settings: Settings) -> None:
    """The same, with the settings."""
    CLEANED.append(item)
    WITH.append(settings)


def leave(item: PastItem) -> None:
    """A cleanup that fails in the worst way."""
    raise SystemExit("no")


def test_each_step_that_has_begun_is_cleaned_up(state_url: URL, tmp_path: Path) -> None:
    # Given: three steps with a cleanup; the second has failed, so the third has never begun. What happens: the item is
    # cleaned up. What must hold: the first two cleanups are called, the later step first, with what the steps left.
    CLEANED.clear()
    WITH.clear()
    steps = [
        Step("write", write, cleanup=tidy_with),
        Step("fail", fail, needs=["write"], cleanup=tidy),
        Step("never", write, needs=["fail"], cleanup=tidy),
    ]
    with house(state_url, tmp_path, *steps) as made:
        made.add("a", args={"n": 1})
        made.do_all()
        assert has_cleanup(made.pipeline)
        clean_up(made.state, made.pipeline, made.runner.settings, made.item("a").id)
        assert WITH == [made.runner.settings]
    assert CLEANED == [
        PastItem(NAME, "fail", "a", "failed", {"n": 1}, None),
        PastItem(NAME, "write", "a", "processed", {"n": 1}, {"file": "a"}),
    ]


def test_a_cleanup_that_fails_tells_of_what(state_url: URL, tmp_path: Path) -> None:
    with house(state_url, tmp_path, Step("write", write, cleanup=leave)) as made:
        made.add("a")
        made.do_all()
        with pytest.raises(
            JanitorError, match="the cleanup of p.write failed for a, so that the item stays: SystemExit"
        ):
            clean_up(made.state, made.pipeline, made.runner.settings, made.item("a").id)
        assert made.keys() == ["a"]


def test_without_a_cleanup_nothing_is_asked(state_url: URL, tmp_path: Path) -> None:
    with house(state_url, tmp_path, Step("write", write)) as made:
        assert not has_cleanup(made.pipeline)
        clean_up(made.state, made.pipeline, made.runner.settings, 999)
