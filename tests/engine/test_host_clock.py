"""The host's clock: a difference is told once, again if it changes, and so is its end."""

import logging
from datetime import datetime, timezone

import pytest

from janitor.engine.host_clock import NAME, HostClock
from janitor.loops import Loops
from janitor.state.shared_clock import SharedClock
from tests.small_engine import SECOND

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def test_a_host_whose_clock_is_off_is_told(caplog: pytest.LogCaptureFixture) -> None:
    # Given a host whose clock the test sets, and a state database at which it is noon.
    # The host's clock goes wrong, then a little more and less, then to the other side, and is set right in two steps.
    # Each is told once; the daemon stays ready, since slots come by the state database's clock.
    caplog.set_level(logging.INFO)
    ahead, loops, heard = [0.0], Loops(), list[tuple[str, bool]]()
    loops.listen(lambda trouble, over: heard.append((str(trouble), over)))
    clock = SharedClock(lambda connection: NOON, lambda: NOON + ahead[0] * SECOND, lambda: 7.0)
    clock.ask(None)  # type: ignore[arg-type]  # the state database is the test
    host = HostClock(clock, loops)
    for ahead[0] in (0.0, 5.0, -300.0, -304.0, -297.0, 90.0, 91.0, 3.0):
        host.look()
        assert loops.troubles == []
        assert [one.duty for one in loops.noted] == [NAME] * (ahead[0] not in (0.0, 5.0))
    for ahead[0] in (2.0, 4.0, 0.0):
        host.look()
    said = [text.partition(":")[0] for text in caplog.messages]
    assert said == [
        "the clock of this host is 300 s behind the state database's clock",
        "the clock of this host is 90 s ahead of the state database's clock",
        "the clock of this host is 3 s ahead of the state database's clock",
        "the clock of this host",
    ]
    assert [over for _, over in heard] == [False, True] and "300 s behind" in heard[0][0]


def test_a_state_database_whose_clock_was_set_is_named() -> None:
    # Given: a host whose clock is right. What happens: the state database's clock is set back by an hour.
    # What must hold: the host is not blamed.
    back, loops = [0.0], Loops()
    clock = SharedClock(lambda connection: NOON - back[0] * SECOND, lambda: NOON, lambda: 7.0)
    host = HostClock(clock, loops)
    for back[0] in (0.0, 3600.0):
        clock.ask(None)  # type: ignore[arg-type]  # the state database is the test
        host.look()
    (noted,) = loops.noted
    assert "was set back by 3600 s while this process ran: look there first" in noted.why
