"""The shared clock: the state database's time, whatever the host's clock says."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.state.shared_clock import SharedClock
from tests.small_engine import SECOND, migrated, now

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def world(**parts: Any) -> SimpleNamespace:
    """A state database, a host and a boot clock whose readings the test sets; an answer takes `seconds`."""
    return SimpleNamespace(**{"server": NOON, "host": NOON, "boot": 100.0, "seconds": 0.0, "late": 0.0} | parts)


def clock_of(of: SimpleNamespace) -> tuple[SharedClock, Callable[[], datetime]]:
    """The shared clock in a world, and what asks the state database."""

    def answer(connection: Any) -> datetime:
        told: datetime = of.server + timedelta(seconds=of.late)
        pass_by(of, of.seconds)
        return told

    made = SharedClock(answer, lambda: of.host, lambda: float(of.boot))
    return made, lambda: made.ask(None)  # type: ignore[arg-type]  # the state database is the test


def pass_by(of: SimpleNamespace, seconds: float) -> None:
    """Let all three clocks go on."""
    of.server, of.host = of.server + seconds * SECOND, of.host + seconds * SECOND
    of.boot += seconds


def test_before_anybody_asked_the_host_tells_the_time() -> None:
    of = world(server=NOON + 90 * SECOND)
    clock, _ = clock_of(of)
    assert (clock.now(), clock.host_ahead_seconds) == (NOON, 0)


def test_the_time_is_the_state_database_s() -> None:
    of = world(server=NOON + 90 * SECOND)
    clock, ask = clock_of(of)
    assert ask() == clock.now() == NOON + 90 * SECOND
    assert clock.host_ahead_seconds == -90
    pass_by(of, 7)
    assert clock.now() == NOON + 97 * SECOND


def test_a_host_s_clock_that_is_set_moves_nothing() -> None:
    of = world()
    clock, ask = clock_of(of)
    ask()
    of.host += 3600 * SECOND
    pass_by(of, 2)
    assert (clock.now(), clock.host_ahead_seconds) == (NOON + 2 * SECOND, 3600)


def test_a_slow_answer_makes_no_leap() -> None:
    # Given a clock that is right. An answer takes 8 s, and tells the time at which it was asked for, or at its end.
    # Both fit what was known: the clock stays.
    of = world()
    clock, ask = clock_of(of)
    ask()
    for late in (0.0, 8.0):
        of.seconds, of.late = 8.0, late
        ask()
        assert clock.now() == of.server


def test_a_state_database_whose_clock_is_set_is_followed() -> None:
    of = world(seconds=0.5)
    clock, ask = clock_of(of)
    ask()
    for leap in (3600, -7200):
        of.server += leap * SECOND
        ask()
        assert abs(clock.now() - of.server) <= 0.5 * SECOND


def test_a_clock_set_forward_is_known_for_a_minute() -> None:
    of = world()
    clock, ask = clock_of(of)
    ask()
    assert clock.leapt() == timedelta()
    of.server += 3600 * SECOND
    for after, leapt in ((0, 3600), (59, 3600), (2, 0)):
        pass_by(of, after)
        ask()
        assert clock.leapt() == leapt * SECOND


@pytest.mark.parametrize(("leaps", "leapt"), [((-3600,), 0), ((3600, -3600), 0), ((-3600, 3600), 3600), ((0.5,), 0)])
def test_only_what_a_clock_was_set_forward_counts(leaps: tuple[float, ...], leapt: float) -> None:
    of = world()
    clock, ask = clock_of(of)
    ask()
    for leap in leaps:
        of.server += leap * SECOND
        pass_by(of, 1)
        ask()
    assert clock.leapt() == leapt * SECOND


def test_the_machine_s_own_clock_that_is_set_forward_is_known_too() -> None:
    of = world()
    clock = SharedClock(None, lambda: of.host, lambda: float(of.boot))
    for leap in (0, 90):
        of.host += leap * SECOND
        clock.ask(None)  # type: ignore[arg-type]  # there is none to ask
    assert clock.leapt() == 90 * SECOND and clock.zero is None


def test_each_kind_of_state_database_has_a_clock(database_url: URL) -> None:
    state = migrated(database_url)
    with state.begin() as connection:
        told = state.now(connection)
    assert abs(state.clock.now() - told) < 5 * SECOND and abs(state.clock.host_ahead_seconds) < 5
    assert state.clock.now().utcoffset() == timedelta(0) and abs(state.clock.now() - now()) < 5 * SECOND
    state.close()
