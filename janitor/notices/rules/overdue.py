"""`overdue`: no success within twice the job's schedule. `janitor.engine.overdue` decides; this rule tells."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import instant_text
from janitor.settings.notices import NoticeRules


def overdue(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell when the job succeeded last."""
    if facts.overdue_since is None:
        return None
    successes = facts.history.successes
    last = f"the last success ended at {instant_text(successes[-1].ended_at)}" if successes else "it never did"
    run = facts.running or facts.history.last_run
    text = f"did not succeed within twice its schedule: {last}"
    return Condition("overdue", facts.job, text, run.id if run else None, lasts=True)
