"""A change to tell: which run it shows, and how it is logged."""

import logging

import pytest

from janitor.notices.facts import Condition, Facts
from janitor.notices.steps import Step
from janitor.runs import Outcome
from tests.notices.rules.records import history, record

FACTS = Facts("copy", history(record(3, Outcome.FAILED), record(4)))
CONDITION = Condition("failed", "copy", "failed: no space", run_id=3)


def test_an_end_shows_the_last_run_else_the_one_that_began() -> None:
    assert [Step(kind, CONDITION, FACTS).run_id for kind in ("began", "repeated", "ended")] == [3, 3, 4]
    assert Step("ended", CONDITION, Facts("copy", history())).run_id == 3


def test_a_step_is_logged_a_good_end_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Step("began", CONDITION, FACTS).log()
    Step("ended", CONDITION, FACTS, "run 4 succeeded").log()
    assert [(one.levelname, one.message) for one in caplog.records] == [
        ("WARNING", "notice began: failed of copy: failed: no space"),
        ("INFO", "notice ended: failed of copy: run 4 succeeded"),
    ]
