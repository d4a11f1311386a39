"""Leases: one holder at a time, a new token for each."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor.runs import Fence
from janitor.state import State, holders, leases
from tests.state.test_holders import dead_holder

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=31)
ELSEWHERE = "elsewhere|boot|pid:[1]|1|1|x"


def test_one_holder_at_a_time(state: State) -> None:
    with state.begin() as connection:
        assert leases.acquire(connection, "a", ELSEWHERE, NOW, 30) == Fence("a", 1)
        assert leases.acquire(connection, "a", "me", NOW + timedelta(seconds=29), 30) is None
        assert leases.acquire(connection, "b", "me", NOW, 30) == Fence("b", 1)
        assert leases.acquire(connection, "a", "me", LATER, 30) == Fence("a", 2)
        assert leases.holder_of(connection, "a") == "me"


def test_one_s_own_lease_is_free_only_on_demand(state: State) -> None:
    with state.begin() as connection:
        leases.acquire(connection, "a", "me", NOW, 30)
        assert leases.acquire(connection, "a", "me", NOW, 30) is None
        assert leases.acquire(connection, "a", "me", NOW, 30, again=True) == Fence("a", 2)


def test_a_released_lease_is_free_and_its_token_dead(state: State) -> None:
    with state.begin() as connection:
        first = leases.acquire(connection, "a", "me", NOW, 30)
        assert first is not None
        leases.release(connection, first)
        leases.release(connection, first)
        second = leases.acquire(connection, "a", ELSEWHERE, NOW, 30)
        assert second == Fence("a", 3), "giving back is a change of holder too"
        leases.release(connection, first)
        assert leases.holder_of(connection, "a") == ELSEWHERE


def test_only_what_is_renewed_lasts(state: State) -> None:
    with state.begin() as connection:
        kept, left = (leases.acquire(connection, name, ELSEWHERE, NOW, 30) for name in ("kept", "left"))
        assert kept is not None and left is not None
        half = NOW + timedelta(seconds=15)
        assert leases.renew(connection, [kept, Fence("left", 9)], half, 30) == {kept}
        assert leases.renew(connection, [], half, 30) == set()
        assert leases.acquire(connection, "kept", "me", LATER, 30) is None
        assert leases.acquire(connection, "left", "me", LATER, 30) is not None


HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "holder", "seconds"),
    [("daemon", f"{ELSEWHERE}/30", 30), ("job:a", f"{ELSEWHERE}/4", 4), ("a", f"{ELSEWHERE}/4#7", 60)],
)
@pytest.mark.parametrize("back", [20 * SECOND, HOUR], ids=str)
def test_a_clock_set_back_keeps_no_lease_for_longer(
    state: State, name: str, holder: str, seconds: int, back: timedelta
) -> None:
    # Given: a lease of a process elsewhere. What happens: the clock is set back, and the process dies.
    # What must hold: from the first look on, it ends after its whole length; its token grows.
    with state.begin() as connection:
        leases.acquire(connection, name, holder, NOW, seconds)
        for after, fence in ((0, None), (seconds - 1, None), (seconds + 1, Fence(name, 2))):
            moment = NOW - back + after * SECOND
            assert leases.acquire(connection, name, "me", moment, 30) == fence, after


def test_a_lease_that_is_renewed_after_a_clock_was_set_back_lasts(state: State) -> None:
    with state.begin() as connection:
        held = leases.acquire(connection, "daemon", f"{ELSEWHERE}/30", NOW, 30)
        assert held is not None
        assert leases.acquire(connection, "daemon", "me", NOW - HOUR, 30) is None
        assert leases.renew(connection, [held], NOW - HOUR + 10 * SECOND, 30) == {held}
        assert leases.acquire(connection, "daemon", "me", NOW - HOUR + 39 * SECOND, 30) is None
        assert leases.acquire(connection, "daemon", "me", NOW - HOUR + 41 * SECOND, 30) == Fence("daemon", 2)


def test_all_leases_that_end_too_late_are_cut(state: State, caplog: pytest.LogCaptureFixture) -> None:
    with state.begin() as connection:
        for name in ("daemon", "job:a"):
            leases.acquire(connection, name, f"{ELSEWHERE}/30", NOW, 30)
        leases.cut_all(connection, NOW)
        assert not caplog.messages
        leases.cut_all(connection, NOW - HOUR)
        assert leases.live_holders(connection, NOW - HOUR + 31 * SECOND) == set()
    assert "the lease daemon of process 1 on elsewhere would last for 3630 s, and ends in 30 s" in caplog.text


def test_a_clock_set_forward_ends_no_lease(state: State) -> None:
    # Given: a lease. What happens: the clock is set forward by an hour, which whoever asks knows.
    # What must hold: the lease is its holder's for as long as it would have been.
    with state.begin() as connection:
        leases.acquire(connection, "daemon", ELSEWHERE, NOW, 30)
        for after, fence in ((29, None), (31, Fence("daemon", 2))):
            moment = NOW + HOUR + after * SECOND
            assert leases.acquire(connection, "daemon", "me", moment, 30, leapt=HOUR) == fence, after


def test_a_lost_lease_is_not_renewed(state: State) -> None:
    with state.begin() as connection:
        first = leases.acquire(connection, "a", ELSEWHERE, NOW, 30)
        assert first is not None
        leases.acquire(connection, "a", "me", LATER, 30)
        assert leases.renew(connection, [first], LATER, 30) == set()


def test_a_run_s_own_leases_last_with_the_run(state: State) -> None:
    mine, other = (holders.holder_of_run(ELSEWHERE, number) for number in (1, 2))
    with state.begin() as connection:
        leases.acquire(connection, "a", mine, NOW, 30)
        leases.acquire(connection, "b", other, NOW, 30)
        leases.renew_of(connection, [mine], NOW + timedelta(seconds=15), 30)
        leases.renew_of(connection, [], NOW, 30)
        assert leases.acquire(connection, "a", "me", LATER, 30) is None
        assert leases.acquire(connection, "b", "me", LATER, 30) is not None


def test_the_dead_and_expired_lose_their_leases(state: State) -> None:
    dead, me = dead_holder(), holders.new_holder()
    with state.begin() as connection:
        for name, holder, seconds in (("dead", dead, 60), ("old", ELSEWHERE, 10), ("mine", me, 60)):
            leases.acquire(connection, name, holder, NOW, seconds)
        assert leases.revoke_dead(connection, NOW + timedelta(seconds=20)) == {me}
        assert [leases.holder_of(connection, name) for name in ("dead", "old", "mine")] == [None, None, me]
        assert leases.acquire(connection, "old", me, NOW, 30) == Fence("old", 3)


def test_the_lease_of_a_dead_process_is_free_at_once(state: State) -> None:
    with state.begin() as connection:
        leases.acquire(connection, "a", dead_holder(), NOW, 60)
        assert leases.acquire(connection, "a", holders.new_holder(), NOW, 60) is not None
