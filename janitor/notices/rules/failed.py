"""`failed`: the last NOTICE_FAILED_AFTER runs failed or timed out. It lasts until a run succeeds, or an inbox works."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules


def failed(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell how often the job failed since its last success, and why it failed last."""
    last = facts.history.newest(Outcome.FAILED, Outcome.TIMED_OUT)
    if last is None or facts.history.failures < rules.notice_failed_after or facts.works_since(last):
        return None
    times = f" {facts.history.failures} times in a row" if facts.history.failures > 1 else ""
    how = "timed out" if last.outcome is Outcome.TIMED_OUT and not times else "failed"
    return Condition("failed", facts.job, f"{how}{times}: {last.reason}", last.id, lasts=True)
