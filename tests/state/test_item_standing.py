"""Where an item stands as a whole: what whoever asked is told."""

from dataclasses import asdict

import pytest

from janitor.state import State, item_standing
from janitor.state.item_standing import OfItem, OfStep, Worst
from janitor.state.item_states import BLOCKED, BUILT_IN, DONE, FAILED, LATER, LEFT_OUT, PROCESSING, READY
from tests.state.parcels import NOW, SECOND, add, end
from tests.state.pieces import OWN, plan_of

PLAN = plan_of({"a": {}, "b": {"a": "processed"}})
KINDS = {**BUILT_IN, **OWN}


def of_item(state: State, item: int) -> OfItem | None:
    with state.read() as connection:
        return item_standing.of_item(connection, item)


def test_an_item_has_the_reason_of_each_steps_newest_try(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    end(state, "a", item, plan=PLAN, state=READY, reason="away", code="E1")
    end(state, "a", item, plan=PLAN, reason="so", code="E2", result="1")
    end(state, "b", item, plan=PLAN, status="no host", reason="nothing near", at=NOW + 9 * SECOND)
    found = of_item(state, item)
    assert found is not None
    assert {**asdict(found), "steps": list(found.steps)} == {
        "id": item,
        "key": "k",
        "args": "{}",
        "state": FAILED,
        "ended_at": NOW + 9 * SECOND,
        "is_late": False,
        "steps": [OfStep("a", DONE, "processed", "so", "E2"), OfStep("b", FAILED, "no host", "nothing near")],
    }
    assert of_item(state, 99) is None


@pytest.mark.parametrize(("seconds", "is_late"), [(0, False), (1, True)])
def test_an_item_that_ended_after_its_time_is_late(state: State, seconds: int, is_late: bool) -> None:
    [item] = add(state, "k", plan=plan_of({"a": {}}), expires_at=NOW)
    found = of_item(state, item)
    assert found is not None and not found.is_late and found.ended_at is None
    end(state, "a", item, plan=plan_of({"a": {}}), at=NOW + seconds * SECOND)
    found = of_item(state, item)
    assert found is not None and found.is_late == is_late


@pytest.mark.parametrize(
    ("steps", "worst"),
    [
        ([], Worst("processed", "ok", None, None)),
        ([OfStep("a", BLOCKED, "not processed")], Worst("processed", "ok", None, None)),
        ([OfStep("a", DONE, "processed", "fine", "E0")], Worst("processed", "ok", "fine", None)),
        (
            [OfStep("a", DONE, "processed"), OfStep("b", DONE, "few filters", "two")],
            Worst("few filters", "warning", "two", None),
        ),
        (
            [
                OfStep("a", DONE, "few filters"),
                OfStep("b", FAILED, "no host", "far", None),
                OfStep("c", FAILED, "failed", "boom", "E7"),
            ],
            Worst("no host", "error", "far", "no host"),
        ),
        ([OfStep("c", FAILED, "failed", "boom", "E7")], Worst("failed", "error", "boom", "E7")),
        ([OfStep("a", FAILED, "of a plan before", "x")], Worst("of a plan before", "error", "x", "of a plan before")),
        ([OfStep("a", DONE, "of a plan before")], Worst("of a plan before", "ok", None, None)),
    ],
)
def test_the_worst_status_of_the_steps_is_told(steps: list[OfStep], worst: Worst) -> None:
    assert item_standing.worst(steps, KINDS) == worst


@pytest.mark.parametrize(
    ("states", "share", "blocked"),
    [
        ([], 1.0, False),
        ([DONE, DONE], 1.0, False),
        ([DONE, LEFT_OUT], 1.0, False),
        ([DONE, FAILED], 0.5, False),
        ([FAILED, BLOCKED], 0.0, True),
        ([DONE, READY, PROCESSING, LATER], 0.25, False),
    ],
)
def test_progress_is_whole_only_if_all_is_done(states: list[int], share: float, blocked: bool) -> None:
    assert item_standing.share_done(states) == share
    assert item_standing.is_blocked(states) == blocked
