"""Acts: steps that are put back by people, what follows behind them, and items that are dropped or flagged."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from janitor.state import State, item_acts, item_endings
from janitor.state import item_replies as sent_ones
from janitor.state import item_search
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, LEFT_OUT, OPEN, READY, WAITING
from janitor.state.item_tables import item_attempts, item_replies, item_results, item_steps, items
from tests.state.parcels import NOW, SECOND, add, end
from tests.state.pieces import (
    DIAMOND,
    an_end,
    attempts_of,
    check_counts,
    item_of,
    plan_of,
    record,
    replies_of,
    states_of,
    steps_of,
    took,
)

PLAN = plan_of(DIAMOND, "mail")
LATER_ON = NOW + 60 * SECOND


def acted(state: State, act: Callable[..., Any], *ids: int, **more: Any) -> Any:
    with state.begin() as connection:
        return act(connection, PLAN, list(ids), now=LATER_ON, **more)


def done(state: State, *keys: str) -> list[int]:
    """Items whose steps have all ended, each with a result."""
    ids = add(state, *keys, plan=PLAN)
    for step in PLAN.steps:
        end(state, step.name, *ids, plan=PLAN, result=f'"{step.name}"')
    return ids


def failed(state: State, key: str = "k", status: str = "no host") -> int:
    """An item whose first step has failed."""
    [item] = add(state, key, plan=PLAN)
    end(state, "cut", item, plan=PLAN, status=status)
    return item


def results(state: State, item: int) -> set[str]:
    with state.read() as connection:
        return set(item_endings.results_of(connection, item))


def test_a_failed_step_that_is_retried_lets_others_wait_again(state: State) -> None:
    item = failed(state)
    assert states_of(state, item) == {"cut": FAILED, "left": BLOCKED, "right": BLOCKED, "last": BLOCKED}
    changed = acted(state, item_acts.retry, item)
    assert changed.touched == 1 and [first.lane for first in changed.ready] == ["p.cut"]
    assert states_of(state, item) == {"cut": READY, "left": WAITING, "right": WAITING, "last": WAITING}
    assert (item_of(state, item).state, item_of(state, item).ended_at) == (OPEN, None)
    cut = steps_of(state, item)["cut"]
    assert (cut.status, cut.tries, cut.since_at) == ("not processed", 0, LATER_ON)
    check_counts(state)
    # Its end is told, and no more that it had failed: nobody had sent that yet.
    assert replies_of(state) == []
    end(state, "cut", item, plan=PLAN)
    for step in ("left", "right", "last"):
        end(state, step, item, plan=PLAN)
    assert len(replies_of(state)) == 1
    check_counts(state)


def test_what_was_told_of_an_end_is_told_of_the_next_too(state: State) -> None:
    item = failed(state)
    with state.begin() as connection:
        sent_ones.note_sent(connection, "p", [row.id for row in replies_of(state)], NOW)
    acted(state, item_acts.retry, item)
    end(state, "cut", item, plan=PLAN, status="no host")
    assert [row.state for row in replies_of(state)] == [sent_ones.SENT, sent_ones.DUE]
    check_counts(state)


def test_all_who_wait_to_be_told_are_told_of_the_next_end(state: State) -> None:
    # Given two who asked before the item had failed, and one after. It is retried before anybody was told.
    [item] = add(state, "k", plan=PLAN, envelope={"to": "A"})
    add(state, "k", plan=PLAN, envelope={"to": "B"})
    end(state, "cut", item, plan=PLAN, status="no host")
    add(state, "k", plan=PLAN, envelope={"to": "C"})
    assert len(replies_of(state)) == 3
    acted(state, item_acts.retry, item)
    assert replies_of(state) == []
    end(state, "cut", item, plan=PLAN, status="no host")
    told = [json.loads(row.content)["envelope"]["to"] for row in replies_of(state)]
    assert sorted(told) == ["A", "B", "C"]
    check_counts(state)


def test_a_retry_gives_an_item_that_had_ended_the_steps_of_now(state: State) -> None:
    # Given a step behind the one that failed, which has another name since. It is made, and can be taken.
    before, now = plan_of({"a": {}, "b": {"a": "processed"}}), plan_of({"a": {}, "c": {"a": "processed"}})
    [item] = add(state, "k", plan=before)
    end(state, "a", item, plan=before, status="failed")
    with state.begin() as connection:
        item_acts.retry(connection, now, [item], NOW)
    end(state, "a", item, plan=now)
    assert states_of(state, item) == {"a": DONE, "c": READY} and item_of(state, item).state == OPEN
    end(state, "c", item, plan=now)
    assert item_of(state, item).state == DONE
    check_counts(state)


def test_what_has_not_failed_is_not_retried(state: State) -> None:
    [item] = done(state, "k")
    assert acted(state, item_acts.retry, item).touched == 0
    assert item_of(state, item).state == DONE
    check_counts(state)


def test_what_waits_for_another_try_is_retried_now(state: State) -> None:
    [item] = add(state, "k", plan=PLAN, priority=3)
    [claim] = took(state, PLAN, "cut", item)
    record(state, PLAN, "cut", an_end(item, claim, "failed", state=LATER, until=NOW + 999 * SECOND))
    acted(state, item_acts.retry, item)
    cut = steps_of(state, item)["cut"]
    assert (cut.state, cut.tries, cut.rank, cut.sort_at) == (READY, 0, -3, NOW)
    check_counts(state)


def test_single_steps_may_be_retried(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    end(state, "cut", item, plan=PLAN)
    for step in ("left", "right"):
        end(state, step, item, plan=PLAN, status="failed")
    assert acted(state, item_acts.retry, item, steps=["last"]).touched == 0
    assert acted(state, item_acts.retry, item, steps=["right"]).touched == 1
    assert states_of(state, item) == {"cut": DONE, "left": FAILED, "right": READY, "last": BLOCKED}
    check_counts(state)


def test_a_step_that_needs_the_failure_waits_for_it_again(state: State) -> None:
    # Given a step that is done if another has failed. As that one is tried again, it may not be taken.
    plan = plan_of({"a": {}, "mend": {"a": "failed"}})
    [item] = add(state, "k", plan=plan)
    end(state, "a", item, plan=plan, status="failed")
    assert states_of(state, item)["mend"] == READY
    with state.begin() as connection:
        item_acts.retry(connection, plan, [item], NOW)
    assert states_of(state, item) == {"a": READY, "mend": WAITING}
    end(state, "a", item, plan=plan)
    assert states_of(state, item) == {"a": DONE, "mend": LEFT_OUT} and item_of(state, item).state == DONE
    check_counts(state)


def test_a_reset_takes_all_behind_a_step_along(state: State) -> None:
    item, other = done(state, "a", "b")
    changed = acted(state, item_acts.reset, item, step="left")
    assert (changed.touched, [first.lane for first in changed.ready]) == (1, ["p.left"])
    assert states_of(state, item) == {"cut": DONE, "left": READY, "right": DONE, "last": WAITING}
    assert results(state, item) == {"cut", "right"} and len(attempts_of(state, item)) == 4
    assert item_of(state, item).times == 2
    assert states_of(state, other) == dict.fromkeys(DIAMOND, DONE) and results(state, other) == set(DIAMOND)
    check_counts(state)


def test_all_steps_of_an_item_may_be_done_again(state: State) -> None:
    [item] = done(state, "k")
    acted(state, item_acts.reprocess, item)
    assert states_of(state, item) == {"cut": READY, "left": WAITING, "right": WAITING, "last": WAITING}
    assert results(state, item) == set() and item_of(state, item).times == 2
    check_counts(state)


@pytest.mark.parametrize("act", ["reset", "reprocess", "retry"])
def test_what_a_run_has_taken_meanwhile_is_put_back(state: State, act: str) -> None:
    # Given one step that a run works on, and one that has failed. A retry leaves the first to its run.
    [item] = add(state, "k", plan=PLAN)
    end(state, "cut", item, plan=PLAN)
    end(state, "right", item, plan=PLAN, status="failed")
    [claim] = took(state, PLAN, "left", item)
    if act == "retry":
        acted(state, item_acts.retry, item)
    elif act == "reset":
        acted(state, item_acts.reset, item, step="cut")
    else:
        acted(state, item_acts.reprocess, item)
    touched = record(state, PLAN, "left", an_end(item, claim)).touched
    assert touched == (1 if act == "retry" else 0)
    left = {"retry": DONE, "reset": WAITING, "reprocess": WAITING}
    assert states_of(state, item)["left"] == left[act]
    check_counts(state)


def test_an_item_is_deleted_with_all_that_is_kept_of_it(state: State) -> None:
    item, other = done(state, "a", "b")
    [working] = add(state, "c", plan=PLAN)
    took(state, PLAN, "cut", working)
    with state.begin() as connection:
        assert item_acts.drop(connection, PLAN, [working, 999, item]) == 2
    with state.read() as connection:
        assert connection.execute(select(items.c.id)).scalars().all() == [other]
        for table in (item_steps, item_results, item_attempts):
            assert set(connection.execute(select(table.c.item_id)).scalars()) == {other}
        # What is still to be told of it, is told all the same.
        told = select(item_replies.c.item_id, item_replies.c.key).order_by(item_replies.c.id)
        assert [tuple(row) for row in connection.execute(told)] == [(None, "a"), (other, "b")]
    assert check_counts(state)["", DONE, "done"] == 1


def test_all_that_need_a_step_stand_behind_it() -> None:
    assert item_acts.behind(PLAN, "cut") == ["cut", "left", "right", "last"]
    assert item_acts.behind(PLAN, "left") == ["left", "last"]
    assert item_acts.behind(PLAN, "last") == ["last"]


def test_another_order_holds_for_what_is_not_begun(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    took(state, PLAN, "cut", item)
    with state.begin() as connection:
        item_acts.reorder(connection, item, -9, LATER_ON)
    places = {name: (row.rank, row.sort_at) for name, row in steps_of(state, item).items()}
    assert places.pop("cut") == (0, NOW) and set(places.values()) == {(-9, LATER_ON)}


def test_a_flag_stays_until_somebody_resolves_it(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)

    def do(act: Callable[..., bool], note: str, item_id: int = item) -> bool:
        with state.begin() as connection:
            return act(connection, item_id, note, "eva", NOW)

    assert not do(item_acts.resolve, "nothing to resolve")
    assert do(item_acts.flag, "look at this") and not do(item_acts.flag, "look", 999)
    row = item_of(state, item)
    assert (row.flag, row.flagged_at, row.flagged_by, row.resolved_at) == ("look at this", NOW, "eva", None)
    assert do(item_acts.resolve, "all well") and not do(item_acts.resolve, "twice")
    row = item_of(state, item)
    assert (row.flag, row.resolution, row.resolved_at, row.resolved_by) == ("look at this", "all well", NOW, "eva")
    assert do(item_acts.flag, "again") and item_of(state, item).resolved_at is None


def test_an_item_that_ended_gets_the_steps_of_the_plan_of_now(state: State) -> None:
    # Given an item that was done by a plan with a step that is gone, and without one that is new.
    old = plan_of({"cut": {}, "gone": {}})
    [item] = add(state, "k", plan=old)
    end(state, "gone", item, plan=old, status="failed")
    end(state, "cut", item, plan=old)
    with state.begin() as connection:
        item_acts.reprocess(connection, PLAN, [item], NOW)
    assert states_of(state, item) == {"cut": READY, "left": WAITING, "right": WAITING, "last": WAITING}
    for step in PLAN.steps:
        end(state, step.name, item, plan=PLAN)
    assert item_of(state, item).state == DONE
    check_counts(state)


def test_a_step_that_is_gone_is_not_retried(state: State) -> None:
    # Given an item of which a step has failed that is gone, and one that is there; and one of which only the first has.
    old = plan_of({"cut": {}, "gone": {}})
    both, one = add(state, "k", "l", plan=old)
    end(state, "gone", both, one, plan=old, status="failed")
    end(state, "cut", both, plan=old, status="failed")
    end(state, "cut", one, plan=old)
    acted(state, item_acts.retry, both, one)
    assert states_of(state, both) == {"cut": READY, "left": WAITING, "right": WAITING, "last": WAITING}
    assert states_of(state, one) == {"cut": DONE, "gone": FAILED} and item_of(state, one).state == FAILED
    check_counts(state)


def test_acts_on_nothing_do_nothing(state: State) -> None:
    add(state, "k", plan=PLAN)

    def count(connection: Connection) -> int:
        return int(connection.execute(select(func.count()).select_from(items)).scalar_one())

    for act in (item_acts.retry, item_acts.reprocess):
        assert acted(state, act).touched == 0
    with state.begin() as connection:
        assert item_acts.drop(connection, PLAN, []) == 0 and count(connection) == 1
        assert item_search.one(connection, "p", "k") is not None
    check_counts(state)
