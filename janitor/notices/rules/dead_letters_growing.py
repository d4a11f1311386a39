"""`dead_letters_growing`: NOTICE_DEAD_LETTERS messages came within a day that could not become items."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.settings.notices import NoticeRules


def dead_letters_growing(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell how many dead letters came to the inbox within the last day, and why the newest could not become an item."""
    letters = facts.items.letters
    if letters is None or letters.number < rules.notice_dead_letters:
        return None
    text = f"{told(letters.number)}; the last: {letters.reason}"
    return Condition("dead_letters_growing", facts.job, text)


def told(number: int) -> str:
    """Say how many dead letters came within a day."""
    if number == 1:
        return "1 dead letter that came within a day is still there"
    return f"{number} dead letters that came within a day are still there"
