"""`interrupted`: a run was cut off since the last success."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import duration_text
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules


def interrupted(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell which run was cut off, after how long, and why."""
    last = facts.history.newest(Outcome.INTERRUPTED)
    if last is None:
        return None
    text = f"run {last.id} was interrupted after {duration_text(last.seconds)}: {last.reason}"
    return Condition("interrupted", facts.job, text, last.id)
