"""Why a condition ended, in a sentence."""

from datetime import timedelta

import pytest

from janitor.notices.facts import Facts
from janitor.notices.rules.endings import why_over
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, history, record

SUCCESS = Facts("job", history(record(1, Outcome.FAILED), record(2, rows=7)), quarantined=3)
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
