"""Positions: no order of commits within the lag loses an id; a saved position stays small."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from janitor.errors import BadSetting
from janitor.feeds import Position, Seen, position_after
from tests.feeds.model import LAG, Clock, tick


def test_a_hundred_thousand_ids_stay_small() -> None:
    contiguous = Position().take(range(1, 100_001), 1.0)
    every_fifth = Position().take(range(0, 500_000, 5), 1.0)
    assert len(contiguous.dump()) < 400
    assert len(every_fifth.dump()) < 150_000


def test_many_reads_within_the_lag_stay_few() -> None:
    made = Position()
    for number in range(1, 1_000):
        made = made.take([number], float(number))
    assert len(made.seen) <= 64 and made.seen[-1] == Seen(999.0, 999)


@pytest.mark.parametrize("value", ["-1", "1.5", "the end", ""])
def test_a_position_that_is_no_id_is_refused(value: str) -> None:
    with pytest.raises(BadSetting, match="give the id to go on after"):
        position_after(value)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
