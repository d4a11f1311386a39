"""Turns: so many in each stretch of time, for all who share a name."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import memory
from janitor.errors import BadSetting
from janitor.state import State, turns
from tests.small_engine import migrated, run_by_hand, runner_for, settings_for

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
LATEST = NOW + timedelta(days=1)


def taken(state: State, count: int, now: datetime, most: int, latest: datetime = LATEST) -> list[float | None]:
    """In how many seconds each of the next turns comes; None if one comes too late."""
    found: list[float | None] = []
    for _ in range(count):
        with state.begin() as connection:
            at = turns.next_turn(connection, "service", most, MINUTE, now, latest)
        found.append(None if at is None else (at - now).total_seconds())
    return found


def test_so_many_come_at_once_and_the_others_at_the_rate(state_url: URL) -> None:
    # Given: nobody has come yet. What happens: five come at one moment, and three turns lie in a minute. What must
    # hold: three come at once, and then one each twenty seconds.
    state = migrated(state_url)
    assert taken(state, 5, NOW, most=3) == [0, 0, 0, 20, 40]
    assert taken(state, 1, NOW + timedelta(seconds=100), most=3) == [0]
    assert taken(state, 4, NOW + timedelta(hours=1), most=3) == [0, 0, 0, 20]


def test_a_turn_that_comes_too_late_is_not_taken(state_url: URL) -> None:
    state = migrated(state_url)
    soon = NOW + timedelta(seconds=30)
    assert taken(state, 4, NOW, most=1, latest=soon) == [0, None, None, None]
    assert taken(state, 2, NOW, most=1) == [60, 120]


def test_runs_wait_for_their_turn_or_end_in_time(state_url: URL, tmp_path: Path) -> None:
    # Given: one turn a minute. What happens: a run takes it, another would have to wait for longer than it may take.
    # What must hold: the first goes on at once; the second is over its time before it has done anything.
    with runner_for(settings_for(state_url, tmp_path)) as runner:
        first = run_by_hand(runner, memory.wait_for_turn, "service", 1)[1]
        second = run_by_hand(runner, memory.wait_for_turn, "service", 1, timeout=5.0)[1]
    assert (first.outcome, second.outcome) == ("succeeded", "timed_out")
    assert second.reason == "the next turn of service comes after the 5 s that this may take"


@pytest.mark.parametrize(("most", "seconds"), [(0, 60), (True, 60), (1.5, 60), (1, 0), (1, -1)])
def test_a_rate_that_is_none_is_refused(most: int, seconds: float) -> None:
    with pytest.raises(BadSetting):
        memory.wait_for_turn("service", most, seconds)
