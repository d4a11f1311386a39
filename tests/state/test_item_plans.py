"""Plans: what is kept of a pipeline, so that items can be added without its functions."""

from janitor.state import State, item_plans
from janitor.state.item_plans import Plan, PlannedStep
from tests.state.pieces import DIAMOND, plan_of

PLAN = plan_of(DIAMOND, "mail", "höhle \U0001f40c", on_duplicate="anew")


def save(state: State, plan: Plan) -> bool:
    with state.begin() as connection:
        return item_plans.save(connection, plan)


def loaded(state: State, name: str = "p") -> Plan | None:
    with state.read() as connection:
        return item_plans.load(connection, name)


def unfitted(state: State) -> list[str]:
    with state.read() as connection:
        return item_plans.unfitted(connection)


def test_a_plan_comes_back_as_it_was(state: State) -> None:
    assert loaded(state) is None
    assert save(state, PLAN)
    assert loaded(state) == PLAN and loaded(state, "other") is None
    assert Plan.of_text("p", PLAN.text()) == PLAN


def test_the_names_of_all_pipelines_are_known_in_order(state: State) -> None:
    for name in ("b", "B", "a"):
        save(state, plan_of(DIAMOND, name=name))
    with state.read() as connection:
        assert item_plans.names(connection) == ["B", "a", "b"]


def test_items_are_to_be_fitted_if_a_plan_is_another_than_before(state: State) -> None:
    # A plan that is new has no items. One that is saved again, as at each start, changes nothing.
    assert save(state, PLAN) and unfitted(state) == []
    assert not save(state, PLAN) and unfitted(state) == []
    other = plan_of({**DIAMOND, "more": {}})
    assert save(state, other) and unfitted(state) == ["p"] and loaded(state) == other
    assert not save(state, other) and unfitted(state) == ["p"]


def test_a_plan_that_was_replaced_meanwhile_is_not_noted_as_fitted(state: State) -> None:
    newer = plan_of({"a": {}})
    for plan in (PLAN, plan_of(DIAMOND), newer):
        save(state, plan)
    with state.begin() as connection:
        item_plans.note_fitted(connection, plan_of(DIAMOND))
    assert unfitted(state) == ["p"]
    with state.begin() as connection:
        item_plans.note_fitted(connection, newer)
    assert unfitted(state) == []


def test_each_step_has_its_lane() -> None:
    plan = Plan("p", (PlannedStep("a", {}),), {})
    assert (plan.lane("a"), item_plans.lane_of("p", "mail")) == ("p.a", "p.mail")
    assert plan.has("a") and not plan.has("b")
