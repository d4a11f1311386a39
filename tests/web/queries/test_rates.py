"""How fast steps go: by what they have ended since a snapshot, whatever was tried in vain, or deleted since."""

from datetime import datetime, timedelta

import pytest

from janitor.state import State, item_counts
from janitor.state.item_counts import Changes
from janitor.state.item_states import DONE, FAILED
from janitor.web.queries.rates import rates
from tests.state.parcels import NOW, PLAN
from tests.web.queries.past import ask

MINUTE = timedelta(minutes=1)


def count(state: State, at: datetime | None = None, **numbers: int) -> None:
    """Let attempts end well or in vain, and items come to an end with an error or leave it; then keep a snapshot."""
    changes = Changes(PLAN.pipeline)
    for what, number in numbers.items():
        step, _, how = what.partition("_")
        if how in ("processed", "interrupted", "failed"):
            changes.numbers[step, item_counts.EVER, how] += number
        elif how == "error":
            changes.add(step, FAILED, "no host", number)
        else:
            changes.add(step, DONE, "processed", number)
    with state.begin() as connection:
        changes.write(connection)
        if at is not None:
            item_counts.save_snapshot(connection, PLAN.pipeline, at)


def told(state: State) -> dict[str, float] | None:
    """The rates at NOW."""
    with state.read() as connection:
        counts = item_counts.read(connection, PLAN.pipeline)
    found: dict[str, float] | None = ask(state, rates, PLAN, counts, NOW)
    return found


def test_a_rate_is_what_has_ended_since_the_oldest_snapshot_of_late(state: State) -> None:
    count(state, NOW - 20 * MINUTE, fetch_processed=1_000)
    count(state, NOW - 8 * MINUTE, fetch_processed=120, match_error=2)
    count(state, NOW - MINUTE, fetch_processed=400)
    count(state, fetch_processed=80, match_error=48)
    assert told(state) == {"fetch": pytest.approx(480 / 480), "match": pytest.approx(48 / 480), "count": 0.0}


def test_what_is_tried_in_vain_or_deleted_is_no_progress(state: State) -> None:
    # Given: a step whose attempts fail and are tried again, and one of which done and failed items are deleted.
    # What happens: the rate is asked for. What must hold: the first has none, the second that of its attempts.
    count(state, NOW - 5 * MINUTE, fetch_failed=9, match_processed=50, match_done=50, match_error=30)
    count(state, fetch_failed=900, fetch_interrupted=70, match_processed=30, match_done=-40, match_error=-20)
    assert told(state) == {"fetch": 0.0, "match": pytest.approx(30 / 300), "count": 0.0}


def test_without_a_snapshot_of_late_no_rate_is_known(state: State) -> None:
    assert told(state) is None
    count(state, NOW - 11 * MINUTE, fetch_processed=5)
    assert told(state) is None
    count(state, NOW - timedelta(seconds=29), fetch_processed=5)
    assert told(state) is None
    count(state, NOW - timedelta(seconds=40))
    assert told(state) == {"fetch": 0.0, "match": 0.0, "count": 0.0}
