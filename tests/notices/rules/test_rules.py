"""The rules together: which conditions hold after runs that ended in some order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.facts import Facts
from janitor.notices.history import MOST_SINCE
from janitor.notices.rules import conditions_after
from janitor.runs import Outcome
from tests.notices.rules.records import all_rules, history, record

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
