"""`missed`: slots were missed since the last success."""

from janitor.notices.facts import Condition, Facts
from janitor.notices.rules.missed import missed
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, all_rules, history, record


def test_missed_tells_how_many_slots_from_when_and_why() -> None:
    lost = [record(2, Outcome.MISSED, reason="a daemon slept"), record(3, Outcome.MISSED, slots=7, reason="it was off")]
    one = missed(Facts("job", history(record(1), lost[0])), all_rules(), NOON)
    assert one == Condition("missed", "job", "missed the slot of 2026-07-01 12:10:00 UTC: a daemon slept", 2)
    more = missed(Facts("job", history(record(1), *lost)), all_rules(), NOON)
    assert more == Condition("missed", "job", "missed 7 slots from 2026-07-01 12:15:00 UTC: it was off", 3)


def test_slots_missed_before_the_last_success_are_over() -> None:
    facts = Facts("job", history(record(1, Outcome.MISSED), record(2)))
    assert missed(facts, all_rules(), NOON) is None
