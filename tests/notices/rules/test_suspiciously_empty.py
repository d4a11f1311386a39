"""`suspiciously_empty`: a success that found nothing, or was far too fast."""

from typing import Any

import pytest

from janitor.notices.facts import Facts
from janitor.notices.rules import conditions
from tests.notices.rules.records import NOON, all_rules, history, record


@pytest.mark.parametrize(
    ("before", "last", "expected"),
    [
        ([{}] * 10, {"rows": 0}, "with no rows"),
        ([{}] * 10, {"rows": None}, "with no rows"),
        ([{}] * 9, {"rows": 0}, None),
        ([{}] * 9 + [{"rows": 0}], {"rows": 0}, None),
        ([{"rows": 0}] + [{}] * 10, {"rows": 0}, "with no rows"),
        ([{}] * 10, {"rows": 1}, None),
        ([{"seconds": 5.0}] * 10, {"seconds": 0.4}, "after 400 ms"),
        ([{"seconds": 5.0}] * 10, {"seconds": 0.6}, None),
        ([{"seconds": 5.0}] * 9 + [{"seconds": 0.9}], {"seconds": 0.01}, None),
    ],
)
def test_a_success_is_suspiciously_empty(before: list[Any], last: Any, expected: str | None) -> None:
    records = [record(number, **more) for number, more in enumerate([*before, last])]
    found = conditions(Facts("job", history(*records)), all_rules(), NOON).get("suspiciously_empty")
    assert (found is None) if expected is None else (found is not None and expected in found.text)
