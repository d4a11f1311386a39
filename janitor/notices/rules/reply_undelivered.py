"""`reply_undelivered`: a reply was tried several times over five minutes, or was given up within a day."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import instant_text
from janitor.settings.notices import NoticeRules


def reply_undelivered(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell how many replies do not arrive, and why one of them does not."""
    found = facts.items.undelivered
    if not found.failing and not found.given_up:
        return None
    parts = [
        *([f"{_replies(found.given_up)} given up within a day"] if found.given_up else []),
        *([f"{_replies(len(found.failing))} tried again and again"] if found.failing else []),
    ]
    since = "" if found.added_at is None else f" of {instant_text(found.added_at)}"
    text = f"{' and '.join(parts)}; the reply{since}, after {found.tries} tries: {found.reason}"
    return Condition("reply_undelivered", facts.job, text, lasts=bool(found.failing), item=found.key)


def _replies(number: int) -> str:
    return "1 reply was" if number == 1 else f"{number} replies were"
