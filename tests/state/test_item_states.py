"""What follows from where an item is at its steps."""

import random

import pytest

from janitor.state import item_states
from janitor.state.item_plans import Plan
from janitor.state.item_states import (
    BLOCKED,
    DONE,
    FAILED,
    LATER,
    LEFT_OUT,
    NOT_BEGUN,
    OPEN,
    PROCESSING,
    READY,
    WAITING,
    Standing,
    of_item,
    settled,
)
from tests.state.pieces import DIAMOND, OWN, plan_of

CHAIN = plan_of({"a": {}, "b": {"a": "processed"}, "c": {"b": "few filters"}, "d": {"c": "processed"}})
ENDS = [(DONE, "processed"), (DONE, "few filters"), (FAILED, "failed"), (FAILED, "no host")]


@pytest.mark.parametrize(
    ("known", "states"),
    [
        ({}, (READY, WAITING, WAITING, WAITING)),
        ({"a": (PROCESSING, "processing")}, (PROCESSING, WAITING, WAITING, WAITING)),
        ({"a": (LATER, "not processed")}, (LATER, WAITING, WAITING, WAITING)),
        ({"a": (DONE, "processed")}, (DONE, READY, WAITING, WAITING)),
        ({"a": (FAILED, "failed")}, (FAILED, BLOCKED, BLOCKED, BLOCKED)),
        ({"a": (DONE, "few filters")}, (DONE, LEFT_OUT, LEFT_OUT, LEFT_OUT)),
        ({"a": (DONE, "processed"), "b": (DONE, "processed")}, (DONE, DONE, LEFT_OUT, LEFT_OUT)),
        ({"a": (DONE, "processed"), "b": (DONE, "few filters")}, (DONE, DONE, READY, WAITING)),
        ({"a": (DONE, "processed"), "b": (FAILED, "no host")}, (DONE, FAILED, BLOCKED, BLOCKED)),
        # a step goes back alone: what has been done behind it stays
        ({"a": (READY, "not processed"), "b": (DONE, "few filters")}, (READY, DONE, READY, WAITING)),
    ],
)
def test_what_a_step_may_do_follows_from_its_needs(known: dict[str, tuple[int, str]], states: tuple[int, ...]) -> None:
    found = settled(CHAIN, {name: Standing(*one) for name, one in known.items()})
    assert tuple(found.values()) == states


def test_a_step_may_need_an_error() -> None:
    plan = plan_of({"a": {}, "then": {"a": "processed"}, "else": {"a": "no host"}})
    assert settled(plan, {"a": Standing(FAILED, "no host")}) == {"a": FAILED, "then": BLOCKED, "else": READY}
    assert settled(plan, {"a": Standing(DONE, "processed")}) == {"a": DONE, "then": READY, "else": LEFT_OUT}


def test_the_worst_of_several_needs_counts() -> None:
    plan = plan_of(DIAMOND)
    cut = {"cut": Standing(DONE, "processed")}
    for left, right, last in (
        (FAILED, DONE, BLOCKED),
        (FAILED, PROCESSING, BLOCKED),
        (PROCESSING, DONE, WAITING),
        (DONE, DONE, READY),
    ):
        status = {FAILED: "failed", PROCESSING: "processing", DONE: "processed"}
        known = {"left": Standing(left, status[left]), "right": Standing(right, status[right])}
        assert settled(plan, cut | known)["last"] == last


def test_all_that_can_be_said_of_a_step_is_said_by_its_needs_alone() -> None:
    # Given plans and standings by chance. What is found is compared with each rule, written down apart.
    chance = random.Random(7)
    for _ in range(500):
        plan, known = a_plan(chance), dict[str, Standing]()
        for step in plan.steps:
            known[step.name] = Standing(*chance.choice([*ENDS, (READY, "not processed"), (PROCESSING, "processing")]))
        found = settled(plan, known)
        for step in plan.steps:
            if known[step.name].state not in NOT_BEGUN:
                assert found[step.name] == known[step.name].state
                continue
            needs = [(found[name], known[name].status, wanted) for name, wanted in step.needs.items()]
            met = [state in (DONE, FAILED) and status == wanted for state, status, wanted in needs]
            is_blocked = any(
                state == BLOCKED or (state == FAILED and not well)
                for (state, _, _), well in zip(needs, met, strict=True)
            )
            is_out = any(
                state == LEFT_OUT or (state == DONE and not well)
                for (state, _, _), well in zip(needs, met, strict=True)
            )
            assert (found[step.name] == READY) == all(met)
            assert (found[step.name] == BLOCKED) == is_blocked
            assert (found[step.name] == LEFT_OUT) == (is_out and not is_blocked)


def a_plan(chance: random.Random) -> Plan:
    """A plan of six steps, each with up to three needs among those before it."""
    steps: dict[str, dict[str, str]] = {}
    for name in "abcdef":
        needed = chance.sample(list(steps), min(len(steps), chance.randrange(4)))
        steps[name] = {one: chance.choice(["processed", "processed", "few filters", "failed"]) for one in needed}
    return plan_of(steps)


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ((DONE, DONE), DONE),
        ((DONE, LEFT_OUT), DONE),
        ((DONE, FAILED), FAILED),
        ((FAILED, BLOCKED), FAILED),
        ((BLOCKED, READY), OPEN),
        ((FAILED, WAITING), OPEN),
        ((DONE, LATER), OPEN),
        ((FAILED, PROCESSING), OPEN),
    ],
)
def test_an_item_is_open_while_a_step_of_it_goes_on(states: tuple[int, ...], state: int) -> None:
    assert of_item(states) == state


def test_each_state_has_a_name() -> None:
    assert [item_states.name_of_item(state) for state in (OPEN, DONE, FAILED)] == ["open", "done", "failed"]
    assert len(item_states.NAMES) == LEFT_OUT + 1
    assert [item_states.state_of(kind) for kind in ("ok", "warning", "error")] == [DONE, DONE, FAILED]
    assert set(OWN.values()) <= set(item_states.KINDS)
