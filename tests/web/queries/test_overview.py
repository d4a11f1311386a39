"""The last 24 hours at a glance."""

from janitor.state import State
from tests.web.queries.day import look
from tests.web.queries.past import add


def test_what_failed_within_the_day_is_listed(state: State) -> None:
    add(state, "a", -8 * 60, "failed")
    ids = [add(state, "ab"[minute % 2], minute, ("failed", "timed_out")[minute % 3 > 0]) for minute in range(25)]
    add(state, "a", 30)
    assert [line.id for line in look(state).failed] == ids[:4:-1]
