"""Fitting: open items get the steps of a plan that has changed; those that have ended stay as they are."""

import pytest

from janitor.state import State, item_fitting
from janitor.state.item_changes import First
from janitor.state.item_fitting import TOGETHER
from janitor.state.item_plans import Plan
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, OPEN, PROCESSING, READY, WAITING
from tests.state.parcels import NOW, SECOND, Work, add, end
from tests.state.pieces import (
    an_end,
    check_counts,
    item_of,
    plan_of,
    record,
    replies_of,
    states_of,
    steps_of,
    took,
)

OLD = plan_of({"a": {}, "b": {"a": "processed"}}, "mail")


def fitted(state: State, plan: Plan) -> list[First]:
    """Fit all; what is ready then."""
    after: int | None = 0
    ready: list[First] = []
    pages = 0
    while after is not None:
        with state.begin() as connection:
            after, changed = item_fitting.fit(connection, plan, after, NOW + SECOND)
        ready += changed.ready
        pages += 1
        assert pages < 20
    return ready


def test_a_new_step_waits_for_what_it_needs(state: State) -> None:
    new, begun, ended = add(state, *"abc", plan=OLD, priority=2)
    end(state, "a", begun, plan=OLD)
    end(state, "a", ended, plan=OLD)
    end(state, "b", ended, plan=OLD)
    plan = plan_of({"a": {}, "b": {"a": "processed"}, "c": {"a": "processed"}, "d": {"b": "processed"}}, "mail")
    assert fitted(state, plan) == [First("p.c", -2, NOW)]
    assert states_of(state, new) == {"a": READY, "b": WAITING, "c": WAITING, "d": WAITING}
    assert states_of(state, begun) == {"a": DONE, "b": READY, "c": READY, "d": WAITING}
    assert states_of(state, ended) == {"a": DONE, "b": DONE} and item_of(state, ended).state == DONE
    row = steps_of(state, begun)["c"]
    assert (row.lane, row.rank, row.sort_at, row.status) == ("p.c", -2, NOW, "not processed")
    check_counts(state)
    assert fitted(state, plan) == []
    check_counts(state)


def test_a_page_reads_no_more_than_it_fits(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_fitting, "TOGETHER", 3)
    plan = plan_of({"a": {}, "b": {}})
    ids = add(state, *(str(number) for number in range(1_000)), plan=plan)
    done = []
    for after in (0, ids[900]):
        with state.begin() as connection, Work(connection) as work:
            item_fitting.fit(connection, plan, after, NOW)
        done.append(work.done)
    assert 0 < done[0] and done[1] <= 1.2 * done[0] + 10, done


def test_a_step_that_is_gone_is_taken_away(state: State) -> None:
    # Given items for which the step that goes is the last to be done, has failed, and is at work.
    last, bad, held = add(state, *"abc", plan=plan_of({"a": {}, "gone": {}}, "mail"))
    old = plan_of({"a": {}, "gone": {}}, "mail")
    end(state, "a", last, plan=old)
    end(state, "gone", bad, plan=old, status="failed")
    [claim] = took(state, old, "gone", held)
    plan = plan_of({"a": {}}, "mail")
    fitted(state, plan)
    assert states_of(state, last) == {"a": DONE} and item_of(state, last).state == DONE
    assert [reply.item_id for reply in replies_of(state)] == [last]
    assert states_of(state, bad) == states_of(state, held) == {"a": READY}
    # What its run brings is dropped.
    assert record(state, old, "gone", an_end(held, claim)).touched == 0
    assert states_of(state, held) == {"a": READY}
    check_counts(state)


def test_needs_that_have_changed_hold_for_what_is_not_begun(state: State) -> None:
    ready, blocked, held, later = add(state, *"abcd", plan=OLD)
    end(state, "a", ready, plan=OLD)
    end(state, "a", blocked, plan=OLD, status="no host")
    add(state, "e", plan=plan_of({"a": {}, "b": {}}))
    plan = plan_of({"a": {}, "b": {"a": "few filters"}}, "mail")
    took(state, OLD, "a", held)
    [claim] = took(state, OLD, "a", later)
    record(state, OLD, "a", an_end(later, claim, state=LATER, until=NOW + 9 * SECOND))
    fitted(state, plan)
    assert item_of(state, ready).state == DONE, "it needs another status, so it is left out"
    assert states_of(state, blocked) == {"a": FAILED, "b": BLOCKED}
    assert states_of(state, held) == {"a": PROCESSING, "b": WAITING}
    assert states_of(state, later) == {"a": LATER, "b": WAITING}
    check_counts(state)


def test_a_step_that_could_be_taken_may_have_to_wait(state: State) -> None:
    [item] = add(state, "k", plan=plan_of({"a": {}, "b": {}}))
    assert states_of(state, item) == {"a": READY, "b": READY}
    fitted(state, OLD)
    assert states_of(state, item) == {"a": READY, "b": WAITING} and item_of(state, item).state == OPEN
    check_counts(state)


def test_many_items_are_fitted_page_by_page(state: State) -> None:
    ids = add(state, *(str(n) for n in range(2 * TOGETHER + 1)), plan=OLD)
    add(state, "k", plan=plan_of({"a": {}}, name="q"))
    end(state, "a", *ids[: TOGETHER + 9], plan=OLD)
    plan = plan_of({"a": {}, "b": {"a": "processed"}, "c": {}})
    with state.begin() as connection:
        assert item_fitting.fit(connection, plan, 0, NOW)[0] == ids[TOGETHER - 1]
    fitted(state, plan)
    assert all(states_of(state, item)["c"] == READY for item in ids[::40])
    assert check_counts(state)["c", READY, "not processed"] == len(ids)
    assert check_counts(state, "q") == {("a", READY, "not processed"): 1, ("", OPEN, "open"): 1}
