"""Positions: no order of commits within the lag loses an id; a saved position stays small."""

from bisect import bisect_left, bisect_right

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from janitor.errors import BadSetting
from janitor.feeds import Position, Seen, position_after
from janitor.feeds.position import MOMENTS_A_LAG
from tests.feeds.model import LAG, Clock, tick
from tests.random_inputs import inputs


def test_a_hundred_thousand_ids_stay_small() -> None:
    contiguous = Position().take(range(1, 100_001), 1.0)
    every_fifth = Position().take(range(0, 500_000, 5), 1.0)
    assert len(contiguous.dump()) < 400
    assert len(every_fifth.dump()) < 150_000


@pytest.mark.parametrize("lag", [0.0, 1.0, 1_000_000.0])
def test_many_reads_within_the_lag_stay_few(lag: float) -> None:
    made = Position()
    for number in range(1, 1_000):
        made = made.take([number], float(number), lag)
    assert len(made.seen) <= 64 and (made.seen[0].at, made.seen[-1]) == (1.0, Seen(999.0, 999))
    assert [made.settle(999.0 + lag + later, lag).mark == 999 for later in (-0.5, 0.5)] == [False, True]


@given(lag=st.floats(1, 200_000), pauses=st.lists(st.floats(0.01, 1_000), min_size=1, max_size=20), data=st.data())
@example(lag=86_400.0, pauses=[300.0], data=None)
@settings(max_examples=inputs(100), deadline=None)
def test_a_feed_settles_although_each_tick_has_news(
    lag: float, pauses: list[float], data: st.DataObject | None
) -> None:
    """Given: a feed with any lag, read in any rhythm.

    What happens: each tick finds a new row, after an id that nobody ever commits, for three lags or 2,000 ticks.
    What must hold: what was at the top a lag and a little ago is settled: the gaps are those of that time alone.
    """
    skips = [2] if data is None else data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    place, now, times, tops = Position(), 1_000.0, list[float](), list[int]()
    for number in range(2_000):
        now += pauses[number % len(pauses)]
        tops.append(place.top + skips[number % len(skips)])
        times.append(now)
        place = place.settle(now, lag).take(tops[-1:], now, lag)
        long_ago = bisect_right(times, now - lag * (1 + 1 / MOMENTS_A_LAG) - 2 * max(pauses))
        assert place.mark >= max(tops[:long_ago][-1:], default=0)
        assert place.mark < tops[bisect_left(times, now - lag)]
        if now > 1_000 + 3 * lag:
            break


def test_a_machine_that_starts_anew_each_night_lets_a_feed_settle() -> None:
    # Given: a feed with a lag of two days, read each half an hour, each time with news after an id that never comes.
    # What happens: each night the machine starts anew, or another host leads.
    # What must hold: nothing settles early, and the gaps are those of little more than the lag.
    lag, place, boot, tops = 48 * 3600.0, Position(), 0.0, list[int]()
    for number in range(48 * 20):
        boot += 1800.0
        if number % 48 == 47:
            boot, saved = 60.0, place.dump().replace('"era": "', '"era": "another-')
            place = Position.load(saved, lambda: boot)
        tops.append(place.top + 2)
        place = place.settle(boot, lag).take(tops[-1:], boot, lag)
        assert place.mark <= max(tops[: max(0, number - 96)], default=0)
        assert place.mark >= max(tops[: max(0, number - 110)], default=0)


@pytest.mark.parametrize("value", ["-1", "1.5", "the end", ""])
def test_a_position_that_is_no_id_is_refused(value: str) -> None:
    with pytest.raises(BadSetting, match="give the id to go on after"):
        position_after(value)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=inputs(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_commits_within_the_lag(data: st.DataObject) -> None:
    """No id is lost, and no id comes twice.

    Given: ids are given out in order.
    What happens: they commit in any order, each within the lag, while runs read and confirm.
    What must hold: after a last run, every id that committed was delivered once.
    """
    clock, committed, waiting, delivered = Clock(), set[int](), dict[int, float](), list[int]()
    place, allotted = Position(), 0
    for _ in range(data.draw(st.integers(5, 40))):
        for _ in range(data.draw(st.integers(0, 4))):
            allotted += data.draw(st.integers(1, 3))
            waiting[allotted] = clock.now + data.draw(st.floats(0, LAG))
        clock.now += data.draw(st.floats(0, LAG * 0.7))
        due = {id for id, at in waiting.items() if at <= clock.now}
        committed |= due
        for id in due:
            del waiting[id]
        if data.draw(st.booleans()):
            place, read = tick(place, committed, clock.now, data.draw(st.integers(0, 2)))
            delivered += read
    committed |= set(waiting)
    _, read = tick(place, committed, clock.now, 0)
    delivered += read
    assert sorted(delivered) == sorted(committed)
