"""`failed` and what is said when it is over."""

from janitor.notices.facts import Facts
from janitor.notices.history import Running
from janitor.notices.rules import conditions
from janitor.notices.rules.endings import why_over
from janitor.runs import Outcome
from tests.notices.rules.records import NOON, all_rules, history, record


def test_failed_says_how_often_and_why() -> None:
    failed = [record(number, Outcome.FAILED, reason=f"reason {number}") for number in (1, 2, 3)]
    found = conditions(Facts("job", history(record(0), *failed)), all_rules(), NOON)["failed"]
    assert (found.text, found.run_id, found.lasts) == ("failed 3 times in a row: reason 3", 3, True)
    assert why_over("failed", Facts("job", history(*failed, record(9)))).startswith(
        "run 9 succeeded at 2026-07-01 12:45:20"
    )


def test_an_inbox_that_works_again_has_not_failed() -> None:
    cut = record(2, Outcome.INTERRUPTED)
    works = Running(4, "work", None, NOON)
    facts = Facts("job", history(record(1), cut, record(3, Outcome.FAILED)), works=works)
    assert not {"failed", "interrupted"} & conditions(facts, all_rules(), NOON).keys()
    assert why_over("failed", facts) == why_over("interrupted", facts) == "run 4 goes on since 2026-07-01 12:00:00 UTC"
    later = Facts("job", history(record(1), record(5, Outcome.FAILED)), works=works)
    assert "failed" in conditions(later, all_rules(), NOON)
