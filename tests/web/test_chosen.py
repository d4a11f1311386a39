"""Which items a request means."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.state import State, item_adding, item_plans
from janitor.state.item_plans import Plan, PlannedStep
from janitor.state.item_search import Wanted
from janitor.web import chosen
from janitor.web.chosen import TooMany, by_filter
from tests.small_engine import migrated

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
PLAN = Plan("p", (PlannedStep("a", {}), PlannedStep("b", {"a": "processed"})), {"processed": "ok", "failed": "error"})


@pytest.fixture
def state(state_url: URL) -> State:
    """Three items of a pipeline of two steps, none of which has begun."""
    made = migrated(state_url)
    with made.begin() as connection:
        item_plans.save(connection, PLAN)
        item_adding.add(connection, PLAN, [item_adding.NewItem(key, "{}", NOW) for key in ("x1", "x2", "y")], NOW)
    return made


def test_filters_choose_items(state: State) -> None:
    assert len(by_filter(state, Wanted("p", key="x*")).ids) == 2
    assert len(by_filter(state, Wanted("p", step="a", state="ready")).ids) == 3
    assert not by_filter(state, Wanted("p", step="b", state="ready")).ids


def test_only_those_with_a_step_in_such_a_state_are_meant(state: State) -> None:
    assert len(by_filter(state, Wanted("p"), with_steps_in=("ready",)).ids) == 3
    assert not by_filter(state, Wanted("p", step="b"), with_steps_in=("ready", "failed")).ids


def test_all_items_must_be_asked_for(state: State) -> None:
    with pytest.raises(BadSetting, match="give a key, or a filter"):
        by_filter(state, Wanted("p"))
    with pytest.raises(BadSetting, match="there is no such pipeline"):
        by_filter(state, Wanted("q"), with_steps_in=("failed",))


def test_more_than_were_seen_are_refused(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooMany, match="2 items are meant now, and 1 were"):
        by_filter(state, Wanted("p", key="x*"), most=1)
    monkeypatch.setattr(chosen, "MOST", 2)
    with pytest.raises(TooMany, match="more than 2 items"):
        by_filter(state, Wanted("p", key="*"))
