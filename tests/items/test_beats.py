"""Heartbeats: each stage is told once, what takes long now and then, and nothing of it can fail a step."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.errors import Unavailable
from janitor.items import Item
from janitor.items.beats import Beats
from janitor.items.ends import Answer, Reply, Sender
from janitor.needs import Need
from janitor.settings import Settings
from tests.small_engine import settings_for

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Way:
    """A way of replying that keeps what it was told; it may be away."""

    requires: Sequence[Need] = ()

    def __init__(self, name: str = "browsers", beat_seconds: float = 3600.0, is_away: bool = False) -> None:
        self.name, self.beat_seconds, self.is_away = name, beat_seconds, is_away
        self.told: list[tuple[str, str]] = []
        self.facts: list[Mapping[str, Any]] = []
        self.opened = self.closed = 0

    def open(self, settings: Settings) -> Sender:
        """Connect, unless it is away."""
        self.opened += 1
        if self.is_away:
            raise Unavailable("nobody is there")
        return self

    def send(self, answer: Answer) -> None:
        """Not for heartbeats."""
        raise AssertionError("a heartbeat is no answer")

    def beat(self, answer: Mapping[str, Any]) -> None:
        """Keep what is told."""
        self.told.append((answer["key"], answer["stage"]))
        self.facts.append(answer)

    def close(self) -> None:
        """End the connection."""
        self.closed += 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that nobody looks at."""
    return settings_for(URL.create("sqlite", database=str(tmp_path / "state.db")), tmp_path)


def item(number: int) -> Item:
    """An item at a step."""
    return Item("p", "a", f"k{number}", {"n": number}, id=number, envelope={"socketId": "s"})


def test_each_stage_is_told_once(settings: Settings) -> None:
    # Given: a way that wants heartbeats, and another that does not. What happens: a step begins on two items and ends
    # on the first. What must hold: the first way is told of each stage, once, with the status of the end.
    way, other = Way(), Way("mail", beat_seconds=0.0)
    beats = Beats([way, other], settings)
    beats.begins(item(1))
    beats.begins(item(2))
    beats.ended(1, "processed")
    beats.tick(NOW)
    beats.tick(NOW)
    assert way.told == [("k1", "begins"), ("k2", "begins"), ("k1", "ended")]
    assert way.facts[2]["status"] == "processed" and way.facts[0]["envelope"] == {"socketId": "s"}
    assert (way.facts[0]["at"], way.facts[0]["step"], way.facts[0]["args"]) == (NOW.isoformat(), "a", {"n": 1})
    assert other.opened == 0


def test_what_takes_long_is_told_now_and_then(settings: Settings) -> None:
    way = Way(beat_seconds=0.001)
    beats = Beats([way], settings)
    beats.begins(item(1))
    beats.tick(NOW)
    time.sleep(0.005)
    beats.tick(NOW)
    beats.ended(1, "processed")
    beats.tick(NOW)
    time.sleep(0.005)
    beats.tick(NOW)
    assert [stage for _, stage in way.told if stage != "at work"] == ["begins", "ended"]
    assert way.told[-1] == ("k1", "ended") and ("k1", "at work") in way.told


def test_a_way_that_is_away_is_left_alone_for_a_while(settings: Settings) -> None:
    away, way = Way("away", is_away=True), Way()
    beats = Beats([away, way], settings)
    for number in range(3):
        beats.begins(item(number))
        beats.tick(NOW)
    beats.close(NOW)
    assert away.opened == 1 and away.closed == 0
    assert [key for key, _ in way.told] == ["k0", "k1", "k2"] and way.closed == 1


def test_nothing_is_noted_if_nobody_wants_heartbeats(settings: Settings) -> None:
    way: Reply = Way(beat_seconds=0.0)
    for beats in (Beats([way], settings), Beats([Way()], None)):
        beats.begins(item(1))
        beats.ended(1, "processed")
        beats.close(NOW)
    assert isinstance(way, Way) and way.opened == 0


def test_an_end_without_a_beginning_is_not_told(settings: Settings) -> None:
    way = Way()
    beats = Beats([way], settings)
    beats.ended(7, "expired")
    beats.tick(NOW)
    assert way.told == []
