"""Ends: what a try brought is kept once, with its attempt; what nobody waits for any more is dropped."""

from datetime import timedelta

import pytest

from janitor.state import State, item_acts, item_endings
from janitor.state.item_states import DONE, FAILED, LATER, PROCESSING, READY
from tests.state.parcels import NOW, SECOND, add, end
from tests.state.pieces import (
    an_end,
    attempts_counted,
    attempts_of,
    check_counts,
    item_of,
    plan_of,
    record,
    states_of,
    steps_of,
    took,
)

PLAN = plan_of({"a": {}, "b": {"a": "processed"}})


def results(state: State, item: int) -> dict[str, str]:
    with state.read() as connection:
        return item_endings.results_of(connection, item)


def reset(state: State, item: int, step: str = "a") -> None:
    with state.begin() as connection:
        item_acts.reset(connection, PLAN, [item], step, NOW)


def test_an_end_is_kept_with_its_attempt_and_its_result(state: State) -> None:
    item, other = add(state, "k", "l", plan=PLAN)
    claims = took(state, PLAN, "a", item, other)
    facts = {"reason": "so", "traceback": "there", "log": "then", "code": "E7"}
    one = an_end(item, claims[0], "few filters", told="few filters", result='{"n":1}', **facts)
    changed = record(state, PLAN, "a", one, an_end(other, claims[1], "no host"), at=NOW + SECOND)
    assert sorted(changed.ended) == [item, other]
    row = steps_of(state, item)["a"]
    assert (row.state, row.status, row.since_at, row.tries) == (DONE, "few filters", NOW + SECOND, 1)
    [attempt] = attempts_of(state, item)
    assert (attempt.status, attempt.reason, attempt.traceback, attempt.log) == ("few filters", "so", "there", "then")
    assert (attempt.code, attempt.run_id, attempt.started_at, attempt.seconds) == ("E7", 7, NOW, 1.0)
    assert results(state, item) == {"a": '{"n":1}'} and results(state, other) == {}
    assert item_of(state, other).state == FAILED
    assert attempts_counted(state) == {("a", "few filters"): 1, ("a", "no host"): 1}
    check_counts(state)


@pytest.mark.parametrize(
    ("more", "state_then", "status", "tries", "deaths"),
    [
        ({"state": LATER, "until": NOW + SECOND}, LATER, "not processed", 1, 0),
        ({"state": READY, "counts": False}, READY, "not processed", 0, 0),
        ({"state": LATER, "until": NOW + SECOND, "counts": False}, LATER, "not processed", 0, 0),
        ({"state": LATER, "until": NOW + SECOND, "died": True}, LATER, "not processed", 0, 1),
        ({"state": FAILED, "died": True}, FAILED, "no host", 0, 1),
        ({"state": FAILED}, FAILED, "no host", 1, 0),
    ],
)
def test_tries_and_deaths_are_counted(
    state: State, more: dict[str, object], state_then: int, status: str, tries: int, deaths: int
) -> None:
    [item] = add(state, "k", plan=PLAN)
    [claim] = took(state, PLAN, "a", item)
    record(state, PLAN, "a", an_end(item, claim, "no host", told="interrupted", **more))
    row = steps_of(state, item)["a"]
    assert (row.state, row.status, row.tries, row.deaths) == (state_then, status, tries, deaths)
    assert [one.status for one in attempts_of(state, item)] == ["interrupted"]
    check_counts(state)


def test_what_was_reset_meanwhile_is_dropped(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    [claim] = took(state, PLAN, "a", item)
    reset(state, item)
    assert record(state, PLAN, "a", an_end(item, claim, result="1")).touched == 0
    assert states_of(state, item)["a"] == READY and attempts_of(state, item) == [] and results(state, item) == {}
    assert attempts_counted(state) == {}
    check_counts(state)


def test_of_two_claims_of_one_item_the_newest_counts(state: State) -> None:
    # Given an item that was reset while a run worked on it, and that the same run has taken again. Both tries end, in
    # either order, and are recorded together.
    for order in (1, -1):
        [item] = add(state, f"k{order}", plan=PLAN)
        [old] = took(state, PLAN, "a", item)
        reset(state, item)
        [new] = took(state, PLAN, "a", item)
        ends = [an_end(item, old, result='"old"'), an_end(item, new, "few filters", result='"new"')]
        record(state, PLAN, "a", *ends[::order])
        assert steps_of(state, item)["a"].status == "few filters" and results(state, item) == {"a": '"new"'}
        assert [one.status for one in attempts_of(state, item)] == ["few filters"]
    check_counts(state)


def test_an_end_of_an_earlier_claim_ends_no_later_one(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    [old] = took(state, PLAN, "a", item)
    reset(state, item)
    took(state, PLAN, "a", item)
    assert record(state, PLAN, "a", an_end(item, old)).touched == 0
    assert states_of(state, item)["a"] == PROCESSING
    check_counts(state)


def test_a_second_try_keeps_its_own_result(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    [claim] = took(state, PLAN, "a", item)
    record(state, PLAN, "a", an_end(item, claim, "no host", result="1"))
    with state.begin() as connection:
        item_acts.retry(connection, PLAN, [item], NOW)
    assert results(state, item) == {"a": "1"}
    [claim] = took(state, PLAN, "a", item)
    record(state, PLAN, "a", an_end(item, claim, result="2"))
    assert results(state, item) == {"a": "2"}
    assert [one.status for one in attempts_of(state, item)] == ["no host", "processed"]
    check_counts(state)


def test_many_ends_are_recorded_together(state: State) -> None:
    ids = add(state, *(str(n) for n in range(60)), plan=PLAN)
    claims = took(state, PLAN, "a", *ids)
    statuses = ["processed", "few filters", "no host"]
    ends = [an_end(item, claim, statuses[item % 3], result=str(item)) for item, claim in zip(ids, claims, strict=True)]
    changed = record(state, PLAN, "a", *ends)
    assert (changed.touched, len(changed.ended)) == (60, 40)
    assert all(steps_of(state, item)["a"].status == statuses[item % 3] for item in ids[::7])
    assert all(results(state, item) == {"a": str(item)} for item in ids[::7])
    assert sum(attempts_counted(state).values()) == 60
    check_counts(state)


def test_nothing_is_kept_where_nothing_has_ended(state: State) -> None:
    add(state, "k", plan=PLAN)
    assert record(state, PLAN, "a") == record(state, PLAN, "a", an_end(99, 1))
    check_counts(state)


def test_a_result_of_a_step_is_no_other_steps(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    end(state, "a", item, plan=PLAN, result='"of a"')
    end(state, "b", item, plan=PLAN, at=NOW + timedelta(minutes=1))
    assert results(state, item) == {"a": '"of a"'}
