"""`interrupted`: a run was cut off since the last success."""

from janitor.engine.restoring import UNKNOWN
from janitor.notices.facts import Condition, Facts
from janitor.notices.rules.interrupted import interrupted
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, all_rules, history, record


def test_interrupted_tells_the_newest_run_cut_off_and_why() -> None:
    cut = [record(id, Outcome.INTERRUPTED, seconds=100.0 * id, reason="the process ended") for id in (2, 3)]
    facts = Facts("job", history(record(1), *cut, record(4, Outcome.FAILED)))
    text = "run 3 was interrupted after 5 min: the process ended"
    assert interrupted(facts, all_rules(), NOON) == Condition("interrupted", "job", text, 3)


def test_a_run_cut_off_before_the_last_success_is_over() -> None:
    facts = Facts("job", history(record(1, Outcome.INTERRUPTED), record(2)))
    assert interrupted(facts, all_rules(), NOON) is None


def test_a_run_that_went_on_at_a_restored_backup_is_not_told() -> None:
    facts = Facts("job", history(record(1), record(2, Outcome.INTERRUPTED, reason=f"{UNKNOWN} from a backup of today")))
    assert interrupted(facts, all_rules(), NOON) is None
