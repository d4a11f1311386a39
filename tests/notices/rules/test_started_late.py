"""`started_late`: a run that starts long after its slot."""

from datetime import timedelta

import pytest

from janitor.notices.facts import Facts
from janitor.notices.history import History, Running
from janitor.notices.rules import conditions
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, all_rules, history, record


@pytest.mark.parametrize(
    ("late", "origin", "expected"),
    [(60, "schedule", False), (61, "schedule", True), (61, "catch_up", True), (9999, "by_hand", False)],
)
def test_a_run_is_late_after_more_than_a_minute(late: int, origin: str, expected: bool) -> None:
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


def test_catching_up_after_missed_slots_is_not_late() -> None:
    missed, later = record(1, Outcome.MISSED), NOON + timedelta(hours=3)
    catching_up = record(2, origin="catch_up", started_at=later)
    assert not conditions(Facts("job", history(missed, catching_up)), all_rules(), NOON)
    going_on = Facts("job", history(missed), Running(2, "catch_up", catching_up.slot_at, later))
    assert set(conditions(going_on, all_rules(), later)) == {"missed"}
    assert "started_late" in conditions(Facts("job", history(record(1), catching_up)), all_rules(), NOON)
