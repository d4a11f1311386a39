"""`items_wait`: items that could be taken wait for longer than the pipeline's `waits_seconds`."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import duration_text, instant_text
from janitor.settings.notices import NoticeRules


def items_wait(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell for how long the item waits that has waited for longest, and whether a run is at work."""
    since = facts.items.waiting_since
    if now is None or since is None:
        return None
    seconds = (now - since).total_seconds()
    if seconds <= facts.items.waits_seconds:
        return None
    run = facts.running
    at_work = (
        "no run is at work" if run is None else f"run {run.id} has been at work since {instant_text(run.started_at)}"
    )
    text = f"items wait that could be taken, the first for {duration_text(seconds)}; {at_work}"
    return Condition("items_wait", facts.job, text, None if run is None else run.id, lasts=True)
