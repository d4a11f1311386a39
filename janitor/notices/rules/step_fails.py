"""`step_fails`: a step failed at `fails_in_a_row` items in a row. It lasts until the step ends well for an item."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.settings.notices import NoticeRules


def step_fails(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell at how many items the step failed, and why it failed last."""
    streak = facts.items.streak
    if streak.newest is None or streak.failures < facts.items.fails_in_a_row:
        return None
    which = "the last item" if streak.failures == 1 else f"each of the last {streak.failures} items"
    text = f"failed at {which}: {streak.newest.reason}"
    return Condition("step_fails", facts.job, text, streak.newest.run_id, lasts=True, item=streak.newest.key)
