"""`missed`: slots were missed since the last success."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import instant_text
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules


def missed(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell how many slots were missed, from when on, and why."""
    last = facts.history.newest(Outcome.MISSED)
    if last is None or last.slot_at is None:
        return None
    slots = f"{last.slots} slots from" if last.slots > 1 else "the slot of"
    text = f"missed {slots} {instant_text(last.slot_at)}: {last.reason}"
    return Condition("missed", facts.job, text, last.id)
