"""`reply_undelivered`: a reply is tried again and again, or was given up."""

import pytest

from janitor.notices.facts import Condition, Facts
from janitor.notices.history import History
from janitor.notices.item_facts import ItemFacts, Undelivered
from janitor.notices.rules.reply_undelivered import reply_undelivered
from tests.notices.rules.records import NOON, all_rules

ONE = "the reply of 2026-07-01 12:00:00 UTC, after 9 tries: nobody is there"


def told(failing: tuple[int, ...] = (), given_up: int = 0) -> Condition | None:
    """What is told of such replies."""
    found = Undelivered(failing, given_up, "DN7", "nobody is there", 9, NOON)
    return reply_undelivered(Facts("job", History(), items=ItemFacts(undelivered=found)), all_rules(), NOON)


@pytest.mark.parametrize(
    ("failing", "given_up", "text"),
    [
        ((3,), 0, f"1 reply was tried again and again; {ONE}"),
        ((), 2, f"2 replies were given up within a day; {ONE}"),
        ((3, 4), 1, f"1 reply was given up within a day and 2 replies were tried again and again; {ONE}"),
    ],
)
def test_replies_that_do_not_arrive_are_told(failing: tuple[int, ...], given_up: int, text: str) -> None:
    # What is tried goes on; what was given up has happened.
    lasts = bool(failing)
    assert told(failing, given_up) == Condition("reply_undelivered", "job", text, lasts=lasts, item="DN7")


def test_without_such_a_reply_nothing_is_told() -> None:
    assert told() is None
    assert reply_undelivered(Facts("job", History()), all_rules(), NOON) is None
