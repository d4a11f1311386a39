"""The rules together: which conditions hold after runs that ended in some order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.jobs.with_work import Kind, Work
from janitor.notices.facts import Facts
from janitor.notices.history import MOST_SINCE
from janitor.notices.rules import conditions_after, of_job
from janitor.runs import Outcome
from janitor.settings.notices import RULES, NoticeRules
from tests.notices.rules.records import all_rules, history, record
from tests.small_engine import job_of

LETTERS = {
    "s": Outcome.SUCCEEDED,
    "f": Outcome.FAILED,
    "t": Outcome.TIMED_OUT,
    "m": Outcome.MISSED,
    "i": Outcome.INTERRUPTED,
    "c": Outcome.CANCELLED,
}


def holds(letters: str, **more: Any) -> set[str]:
    """Name the rules that hold after runs with these outcomes."""
    records = [record(number, LETTERS[letter]) for number, letter in enumerate(letters, 1)]
    return set(conditions_after(Facts("job", history(*records)), all_rules(**more)))


@pytest.mark.parametrize(
    ("letters", "after", "expected"),
    [
        ("", 1, set()),
        ("s", 1, set()),
        ("f", 1, {"failed"}),
        ("t", 1, {"failed"}),
        ("sf", 2, set()),
        ("fsf", 2, set()),
        ("sff", 2, {"failed"}),
        ("sftf", 3, {"failed"}),
        ("sfcf", 2, {"failed"}),
        ("sfif", 2, {"failed", "interrupted"}),
        ("sfmf", 2, {"failed", "missed"}),
        ("sffs", 2, set()),
        ("si", 1, {"interrupted"}),
        ("sif", 5, {"interrupted"}),
        ("sis", 1, set()),
        ("sm", 1, {"missed"}),
        ("sms", 1, set()),
    ],
)
def test_each_order_of_outcomes_has_its_conditions(letters: str, after: int, expected: set[str]) -> None:
    assert holds(letters, notice_failed_after=after) == expected


@given(st.text("sftmic", max_size=3 * MOST_SINCE), st.integers(1, MOST_SINCE * 2))
def test_failed_counts_failures_since_the_last_success(letters: str, after: int) -> None:
    since = letters.rpartition("s")[2]
    assert ("failed" in holds(letters, notice_failed_after=after)) == (since.count("f") + since.count("t") >= after)


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (None, set()),
        ("step", {"step_fails", "items_wait"}),
        ("inbox", {"dead_letters_growing"}),
        ("reply", {"reply_undelivered"}),
    ],
)
def test_a_job_has_the_rules_that_say_something_of_it(kind: Kind | None, own: set[str]) -> None:
    """Given all rules, and a job that is part of no pipeline, or a step, an inbox or a way of replying.

    Of the rules of items it has its own; runs that go on for as long as there is work are never long or empty.
    """
    job = job_of(print, work=None if kind is None else Work(kind, "parcels"))
    of_items = {"step_fails", "items_wait", "dead_letters_growing", "reply_undelivered"}
    of_runs = set() if kind is None else {"ran_long", "suspiciously_empty"}
    assert set(of_job(job, all_rules()).notice_rules) == set(RULES) - of_items - of_runs | own
    assert of_job(job, NoticeRules.model_validate({"notice_rules": "none"})).notice_rules == ()
