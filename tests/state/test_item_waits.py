"""For how long items wait at a step.

Given: items that can be taken, in some order.
What happens: the one that has waited for longest is looked for.
What must hold: it is found whichever end of the order it stands at, and what cannot be taken does not count.
"""

import pytest

from janitor.state import State, item_adding, item_waits
from janitor.state.item_adding import NewItem
from janitor.state.item_states import LATER
from tests.state.parcels import NOW, PLAN, SECOND, STEPS, add, end, take

HOUR = 3600 * SECOND
LANES = [PLAN.lane(name) for name in STEPS]


def longest(state: State, seconds: float) -> dict[str, float]:
    """For how many seconds something waits so long after noon, by step."""
    now = NOW + seconds * SECOND
    with state.read() as connection:
        found = item_waits.longest(connection, LANES, now)
    return {lane.removeprefix("parcels."): (now - at).total_seconds() for lane, at in found.items()}


def test_what_can_be_taken_waits_from_when_it_was_ready(state: State) -> None:
    assert longest(state, 10) == {}
    first, second = add(state, "a", "b")
    add(state, "c", at=NOW + 5 * SECOND)
    assert longest(state, 10) == {"fetch": 10}
    take(state, "fetch", first, second)
    assert longest(state, 10) == {"fetch": 5}
    end(state, "fetch", *add(state, "d"), at=NOW + 7 * SECOND)
    assert longest(state, 10) == {"fetch": 5, "match": 3}


@pytest.mark.parametrize("priority", [0, 5])
def test_what_comes_later_and_goes_before_hides_nothing(state: State, priority: int) -> None:
    add(state, "a", at=NOW)
    # Ready later, and to be taken earlier: by their order, or by their priority.
    news = [NewItem(f"b{hours}", "{}", NOW - hours * HOUR, priority) for hours in (1, 2, 3)]
    with state.begin() as connection:
        item_adding.add(connection, PLAN, news, NOW + 30 * SECOND)
    assert longest(state, 60) == {"fetch": 60}


def test_a_try_that_is_overdue_waits_as_well(state: State) -> None:
    (one,) = add(state, "a")
    end(state, "fetch", one, status="failed", state=LATER, until=NOW + 20 * SECOND)
    assert longest(state, 10) == {}
    assert longest(state, 50) == {"fetch": 30}
