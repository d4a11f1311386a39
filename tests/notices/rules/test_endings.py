"""Why a condition ended, in a sentence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.notices.facts import Facts
from janitor.notices.item_facts import ItemFacts, Letters, Streak
from janitor.notices.rules.endings import why_over
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, history, record

SUCCESS = Facts("job", history(record(1, Outcome.FAILED), record(2, rows=7)), quarantined=3)
GONE = "most of the items at which it failed are gone, or are to be tried again"
SENTENCE = "run 2 succeeded at 2026-07-01 12:10:20 UTC, after 20 s"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("failed", SENTENCE),
        ("overdue", SENTENCE),
        ("suspiciously_empty", f"{SENTENCE}, with 7 rows"),
        ("quarantine_growing", "3 rows that came into quarantine within a day are still there"),
    ],
)
def test_a_success_is_the_reason_for_most_endings(rule: str, sentence: str) -> None:
    assert why_over(rule, SUCCESS) == sentence


def test_without_a_success_the_reason_is_not_known() -> None:
    assert why_over("ran_long", Facts("job", history(record(1, Outcome.CANCELLED)))) == "that is so no longer"


def test_a_sign_of_life_ends_overdue_if_no_success_came_later() -> None:
    alive_at, successes = NOON + timedelta(minutes=8), history(record(1))
    said = "it was resumed, or a run of it found nothing to do, at 2026-07-01 12:08:00 UTC"
    assert why_over("overdue", Facts("job", successes, alive_at=alive_at)) == said
    later = Facts("job", history(record(1), record(2)), alive_at=alive_at)
    assert why_over("overdue", later) == SENTENCE


@pytest.mark.parametrize(
    ("rule", "items", "sentence"),
    [
        ("step_fails", ItemFacts(streak=Streak(0, NOON)), "it ended well for an item at 2026-07-01 12:00:00 UTC"),
        ("step_fails", ItemFacts(streak=Streak(2, NOON)), GONE),
        ("step_fails", ItemFacts(), GONE),
        ("items_wait", ItemFacts(), "nothing waits any more that could be taken"),
        (
            "items_wait",
            ItemFacts(waiting_since=NOON),
            "what waits for longest now could be taken since 2026-07-01 12:00:00 UTC",
        ),
        ("dead_letters_growing", ItemFacts(), "no dead letter that came within a day is still there"),
        (
            "dead_letters_growing",
            ItemFacts(letters=Letters(1, NOON, "no JSON")),
            "1 dead letter that came within a day is still there",
        ),
        ("reply_undelivered", ItemFacts(), "no reply fails any more, and none was given up within a day"),
    ],
)
def test_each_rule_of_items_says_what_is_so_now(rule: str, items: ItemFacts, sentence: str) -> None:
    assert why_over(rule, replace(SUCCESS, items=items)) == sentence
