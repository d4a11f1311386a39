"""`suspiciously_empty`: the last run succeeded with no rows, or ten times as fast as ever, unlike those before it."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import duration_text
from janitor.settings.notices import NoticeRules

FAST_TIMES = 10
"""A success is too fast if it took less than a tenth of the fastest success before it."""
FAST_LEAST_SECONDS = 1.0
"""No success is too fast if the fastest before it took less than this."""


def suspiciously_empty(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Compare the last success with the NOTICE_EMPTY_AFTER successes before it."""
    successes = facts.history.successes
    if len(successes) <= rules.notice_empty_after:
        return None
    last, before = successes[-1], successes[-rules.notice_empty_after - 1 : -1]
    fastest = min(success.seconds for success in before)
    if not last.rows and all(success.rows for success in before):
        text = f"run {last.id} succeeded with no rows, and each of the {len(before)} successes before had some"
    elif fastest >= FAST_LEAST_SECONDS and last.seconds * FAST_TIMES < fastest:
        times = f"the fastest of the {len(before)} successes before took {duration_text(fastest)}"
        text = f"run {last.id} succeeded after {duration_text(last.seconds)}, and {times}"
    else:
        return None
    return Condition("suspiciously_empty", facts.job, text, last.id)
