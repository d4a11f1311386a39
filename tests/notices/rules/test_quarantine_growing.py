"""`quarantine_growing`: many rows came into quarantine within a day."""

from janitor.notices.facts import Facts
from janitor.notices.history import History
from janitor.notices.rules.quarantine_growing import quarantine_growing
from tests.notices.rules.records import NOON, all_rules


def test_the_quarantine_grows_from_the_limit_on() -> None:
    facts = Facts("job", History(), quarantined=12)
    found = quarantine_growing(facts, all_rules(notice_quarantine_rows=12), NOON)
    assert found is not None and found.text == "12 rows that came into quarantine within a day are still there"
    assert quarantine_growing(facts, all_rules(notice_quarantine_rows=13), NOON) is None
