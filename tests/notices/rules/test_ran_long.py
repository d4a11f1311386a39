"""`ran_long`: a run that takes far longer than usual, or longer than its limit."""

from datetime import timedelta

import pytest

from janitor.notices.facts import Facts
from janitor.notices.history import Running
from janitor.notices.rules import conditions
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, all_rules, history, record


@pytest.mark.parametrize(
    ("usual", "successes", "seconds", "limit", "expected"),
    [
        (20.0, 5, 60.0, None, False),
        (20.0, 5, 60.1, None, True),
        (20.0, 4, 600.0, None, False),
        (2.0, 20, 10.0, None, False),
        (2.0, 20, 10.1, None, True),
        (20.0, 0, 31.0, 30, True),
        (20.0, 20, 30.0, 30, False),
        (2.0, 20, 10.1, 30, True),
    ],
)
def test_a_run_is_long_by_the_average_or_the_limit(
    usual: float, successes: int, seconds: float, limit: float | None, expected: bool
) -> None:
    rules, before = all_rules(notice_long_seconds=limit), [record(number, seconds=usual) for number in range(successes)]
    for outcome in (Outcome.SUCCEEDED, Outcome.FAILED):
        ended = Facts("job", history(*before, record(90, outcome, seconds=seconds)))
        found = conditions(ended, rules, NOON).get("ran_long")
        assert (found is not None, found and found.lasts) == (expected, False if expected else None)
    going_on = Facts("job", history(*before), Running(90, "schedule", None, NOON - timedelta(seconds=seconds)))
    found = conditions(going_on, rules, NOON).get("ran_long")
    assert (found is not None, found and found.lasts) == (expected, True if expected else None)
    cut_off = Facts("job", history(*before, record(90, Outcome.INTERRUPTED, seconds=seconds)))
    assert "ran_long" not in conditions(cut_off, rules, NOON)
    after = Facts("job", history(*before, record(90, seconds=seconds), record(91, seconds=usual)))
    assert "ran_long" not in conditions(after, rules, NOON)
