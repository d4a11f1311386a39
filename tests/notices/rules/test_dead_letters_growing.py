"""`dead_letters_growing`: messages that cannot become items come to an inbox."""

from janitor.notices.facts import Condition, Facts
from janitor.notices.history import History
from janitor.notices.item_facts import ItemFacts, Letters
from janitor.notices.rules.dead_letters_growing import dead_letters_growing
from tests.notices.rules.records import NOON, all_rules


def told(letters: Letters | None, limit: int) -> Condition | None:
    """What is told of an inbox with these dead letters."""
    facts = Facts("job", History(), items=ItemFacts(letters=letters))
    return dead_letters_growing(facts, all_rules(notice_dead_letters=limit), NOON)


def test_dead_letters_grow_from_the_limit_on() -> None:
    assert told(None, 1) is None and told(Letters(2, NOON, "no JSON"), 3) is None
    text = "3 dead letters that came within a day are still there; the last: no JSON"
    assert told(Letters(3, NOON, "no JSON"), 3) == Condition("dead_letters_growing", "job", text)
    one = told(Letters(1, NOON, "no JSON"), 1)
    assert one is not None and one.text == "1 dead letter that came within a day is still there; the last: no JSON"
