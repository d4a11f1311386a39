"""The rules as tables: which runs, and which moment, let which condition hold."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.rules import (
    KEPT,
    Ended,
    Facts,
    History,
    Running,
    conditions,
    conditions_after,
    in_words,
    kept_successes,
    why_over,
)
from janitor.runs import Outcome
from janitor.settings.notices import RULES, NoticeRules

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
LETTERS = {
    "s": Outcome.SUCCEEDED,
    "f": Outcome.FAILED,
    "t": Outcome.TIMED_OUT,
    "m": Outcome.MISSED,
    "i": Outcome.INTERRUPTED,
    "c": Outcome.CANCELLED,
}


def record(id: int, outcome: Outcome = Outcome.SUCCEEDED, **more: Any) -> Ended:
    """A run of 20 s that began at its slot and handled 7 rows, or what `more` says."""
    at = NOON + timedelta(minutes=5 * id)
    seconds = more.get("seconds", 20.0)
    values: dict[str, Any] = {"origin": "schedule", "slot_at": at, "slots": 1, "started_at": at, "reason": "no space"}
    values |= {"ended_at": at + timedelta(seconds=seconds), "seconds": seconds, "rows": 7}
    return Ended(**{"id": id, "outcome": outcome, **values, **more})


def history(*records: Ended, rules: NoticeRules | None = None) -> History:
    """The history that records make."""
    found = History()
    for one in records:
        found = found.and_then(one, kept_successes(rules or all_rules()))
    return found


def all_rules(**more: Any) -> NoticeRules:
    """Every rule, with its defaults but for `more`."""
    return NoticeRules.model_validate({"notice_rules": RULES, **more})


def holds(letters: str, **more: Any) -> set[str]:
    """The rules that hold after runs that ended so."""
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
def test_what_holds_after_runs_that_ended_so(letters: str, after: int, expected: set[str]) -> None:
    assert holds(letters, notice_failed_after=after) == expected


@given(st.text("sftmic", max_size=3 * KEPT), st.integers(1, KEPT * 2))
def test_failed_counts_from_the_last_success_on(letters: str, after: int) -> None:
    since = letters.rpartition("s")[2]
    assert ("failed" in holds(letters, notice_failed_after=after)) == (since.count("f") + since.count("t") >= after)


def test_failed_says_how_often_and_why() -> None:
    failed = [record(number, Outcome.FAILED, reason=f"reason {number}") for number in (1, 2, 3)]
    found = conditions(Facts("job", history(record(0), *failed)), all_rules(), NOON)["failed"]
    assert (found.text, found.run_id, found.lasts) == ("failed 3 times in a row: reason 3", 3, True)
    assert why_over("failed", Facts("job", history(*failed, record(9)))).startswith(
        "run 9 succeeded at 2026-07-01 12:45:20"
    )


@pytest.mark.parametrize(
    ("late", "origin", "expected"),
    [(60, "schedule", False), (61, "schedule", True), (61, "catch_up", True), (9999, "by_hand", False)],
)
def test_a_run_started_late(late: int, origin: str, expected: bool) -> None:
    slot = NOON + timedelta(minutes=5)
    started = slot + timedelta(seconds=late)
    ended = Facts("job", history(record(1, started_at=started, origin=origin)))
    going_on = Facts("job", History(), Running(1, origin, slot, started))
    assert ("started_late" in conditions(ended, all_rules(), NOON)) == expected
    assert ("started_late" in conditions(going_on, all_rules(), NOON)) == expected
    in_time = Facts("job", history(record(1, started_at=started, origin=origin), record(2)))
    assert "started_late" not in conditions(in_time, all_rules(), NOON)
    not_known_before = Facts("job", ended.history, enabled_at=slot + timedelta(seconds=1))
    assert "started_late" not in conditions(not_known_before, all_rules(), NOON)


def test_where_slots_were_missed_catching_up_is_not_late() -> None:
    missed, later = record(1, Outcome.MISSED), NOON + timedelta(hours=3)
    catching_up = record(2, origin="catch_up", started_at=later)
    assert not conditions(Facts("job", history(missed, catching_up)), all_rules(), NOON)
    going_on = Facts("job", history(missed), Running(2, "catch_up", catching_up.slot_at, later))
    assert set(conditions(going_on, all_rules(), later)) == {"missed"}
    assert "started_late" in conditions(Facts("job", history(record(1), catching_up)), all_rules(), NOON)


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
def test_a_run_is_long(usual: float, successes: int, seconds: float, limit: float | None, expected: bool) -> None:
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


def test_overdue_and_quarantine_are_what_the_facts_say() -> None:
    facts = Facts("job", history(record(3)), None, NOON, 12)
    found = conditions(facts, all_rules(notice_quarantine_rows=12), NOON)
    assert set(found) == {"overdue", "quarantine_growing"}
    assert "the last success ended at 2026-07-01 12:15:20" in found["overdue"].text
    assert "12 rows" in found["quarantine_growing"].text
    assert set(conditions(facts, all_rules(notice_quarantine_rows=13), NOON)) == {"overdue"}
    assert conditions(facts, all_rules(notice_rules="none"), NOON) == {}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.85, "850 ms"),
        (9.94, "9.9 s"),
        (42.9, "42 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (200000, "2 days 7 h"),
    ],
)
def test_lengths_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
