"""`items_wait`: items that could be taken wait for longer than their pipeline says."""

from datetime import timedelta

from janitor.notices.facts import Condition, Facts
from janitor.notices.history import History, Running
from janitor.notices.item_facts import ItemFacts
from janitor.notices.rules.items_wait import items_wait
from tests.notices.rules.records import NOON, all_rules

WAITING = ItemFacts(waiting_since=NOON, waits_seconds=600)


def told(items: ItemFacts, seconds: float, running: Running | None = None) -> Condition | None:
    """What is told so long after noon."""
    facts = Facts("job", History(), running, items=items)
    return items_wait(facts, all_rules(), NOON + timedelta(seconds=seconds))


def test_items_wait_after_the_pipeline_s_limit() -> None:
    assert told(ItemFacts(waits_seconds=600), 9_999) is None and told(WAITING, 600) is None
    text = "items wait that could be taken, the first for 2 h 5 min; no run is at work"
    assert told(WAITING, 7_500) == Condition("items_wait", "job", text, lasts=True)
    text = (
        "items wait that could be taken, the first for 10 min 1 s; run 7 has been at work since 2026-07-01 12:00:00 UTC"
    )
    running = Running(7, "work", None, NOON)
    assert told(WAITING, 601, running) == Condition("items_wait", "job", text, 7, lasts=True)
    assert items_wait(Facts("job", History(), items=WAITING), all_rules(), None) is None
