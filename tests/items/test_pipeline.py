"""Pipelines: what rows need of one, and its steps by name."""

import pytest

from janitor.errors import BadSetting
from janitor.items import Step
from janitor.state.item_plans import PlannedStep
from tests.items.test_pipeline_check import End, a_pipeline, do


def test_the_plan_has_what_rows_need() -> None:
    pipeline = a_pipeline(Step("b", do, needs=["a"]), Step("a", do), replies=[End("mail")], on_duplicate="change")
    plan = pipeline.plan
    assert plan.steps == (PlannedStep("a", {}), PlannedStep("b", {"a": "processed"}))
    assert (plan.pipeline, plan.replies, plan.on_duplicate) == ("p", ("mail",), "change")
    assert plan.kinds == pipeline.kinds


def test_a_step_is_found_by_its_name() -> None:
    pipeline = a_pipeline(Step("a", do), Step("b", do))
    assert pipeline.step("b") is pipeline.steps[1]
    with pytest.raises(BadSetting, match="^STEP is 'c': p has no such step; its steps are a, b"):
        pipeline.step("c")
