"""`interrupted`: a run was cut off since the last success, or since an inbox works again."""

from datetime import datetime

from janitor.engine.restoring import UNKNOWN
from janitor.notices.facts import Condition, Facts
from janitor.notices.times import duration_text
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules


def interrupted(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell which run was cut off, after how long, and why."""
    last = facts.history.newest(Outcome.INTERRUPTED)
    # Of a run that went on at a backup nobody knows how it ended: most likely it ended well.
    if last is None or last.reason.startswith(UNKNOWN) or facts.works_since(last):
        return None
    text = f"run {last.id} was interrupted after {duration_text(last.seconds)}: {last.reason}"
    return Condition("interrupted", facts.job, text, last.id)
