"""`overdue`: no success for too long."""

from janitor.notices.facts import Condition, Facts
from janitor.notices.history import History, Running
from janitor.notices.rules.overdue import overdue
from tests.notices.rules.records import NOON, all_rules, history, record


def test_overdue_tells_when_the_job_succeeded_last() -> None:
    found = overdue(Facts("job", history(record(3)), overdue_since=NOON), all_rules(), NOON)
    text = "did not succeed within twice its schedule: the last success ended at 2026-07-01 12:15:20 UTC"
    assert found == Condition("overdue", "job", text, 3, lasts=True)


def test_a_job_that_never_succeeded_shows_the_run_that_goes_on() -> None:
    running = Running(8, "schedule", NOON, NOON)
    found = overdue(Facts("job", History(), running, overdue_since=NOON), all_rules(), NOON)
    assert found is not None and found.text.endswith(": it never did") and found.run_id == 8


def test_a_job_in_time_is_not_overdue() -> None:
    assert overdue(Facts("job", history(record(3))), all_rules(), NOON) is None
