"""Leaps of the time between two ticks: the reason of missed slots is true."""

from datetime import timedelta

import pytest

from janitor.engine.leaps import ASLEEP, LEAPT, STOOD_STILL, Leaps, Moment, cause
from tests.small_engine import SECOND, now


@pytest.mark.parametrize(
    ("told", "boot", "awake", "why"),
    [
        (1.0, 1.0, 1.0, STOOD_STILL),
        (20.0, 20.0, 20.0, STOOD_STILL),
        (20.0, 20.0, 3.0, ASLEEP),
        (20.0, 3.0, 3.0, LEAPT),
        (3600.0, 20.0, 1.0, LEAPT),
        (-3600.0, 20.0, 1.0, ASLEEP),
    ],
)
def test_the_greatest_difference_is_the_reason(told: float, boot: float, awake: float, why: str) -> None:
    moment = now()
    assert cause(Moment(moment, 7, 3), Moment(moment + told * SECOND, 7 + boot, 3 + awake)) == why


def test_each_tick_is_compared_with_the_one_before() -> None:
    # Given three clocks that the test sets. The time of day leaps by an hour, and then all goes on as usual.
    # The first tick tells the leap and its reason, the second that nothing leapt.
    moment, seconds = [now()], [5.0]
    seen = Leaps(lambda: moment[0], lambda: seconds[0], lambda: seconds[0])
    moment[0], seconds[0] = moment[0] + timedelta(hours=1), 6.0
    assert (seen.tick(), seen.why) == ((moment[0], timedelta(hours=1)), LEAPT)
    moment[0], seconds[0] = moment[0] + SECOND, 7.0
    assert (seen.tick(), seen.why) == ((moment[0], SECOND), STOOD_STILL)
