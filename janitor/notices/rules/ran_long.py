"""`ran_long`: a run takes or took far longer than the successes before it, or longer than NOTICE_LONG_SECONDS."""

from collections.abc import Sequence
from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.history import Ended
from janitor.notices.times import duration_text
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules

AVERAGE_OF = 20
"""The average is taken of so many successes."""
FEWEST_FOR_AVERAGE = 5
"""With fewer successes an average means nothing."""
SHORTEST_LONG_SECONDS = 10.0
"""A run up to this length is never long by the average."""


def ran_long(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell of the current run while it is long; otherwise of the last run, if it was long."""
    return (_is_long(facts, rules, now) if now is not None else None) or _was_long(facts, rules)


def _is_long(facts: Facts, rules: NoticeRules, now: datetime) -> Condition | None:
    if facts.running is None:
        return None
    seconds = (now - facts.running.started_at).total_seconds()
    over = _limit_text(seconds, facts.history.successes, rules)
    text = f"run {facts.running.id} has gone on for {duration_text(seconds)}, {over}"
    return Condition("ran_long", facts.job, text, facts.running.id, lasts=True) if over else None


def _was_long(facts: Facts, rules: NoticeRules) -> Condition | None:
    last = facts.history.last_run
    # An interrupted run ends when somebody notices that its process died: nobody knows its true length.
    if last is None or last.outcome is Outcome.INTERRUPTED:
        return None
    before = [success for success in facts.history.successes if success.id != last.id]
    over = _limit_text(last.seconds, before, rules)
    text = f"run {last.id} took {duration_text(last.seconds)}, {over}"
    return Condition("ran_long", facts.job, text, last.id) if over else None


def _limit_text(seconds: float, successes: Sequence[Ended], rules: NoticeRules) -> str:
    """Name the limit that a length exceeds; empty if it exceeds none."""
    most = rules.notice_long_seconds
    if most is not None and seconds > most:
        return f"over {duration_text(most)}"
    usual = [success.seconds for success in successes[-AVERAGE_OF:]]
    if len(usual) < FEWEST_FOR_AVERAGE or seconds <= SHORTEST_LONG_SECONDS:
        return ""
    average = sum(usual) / len(usual)
    if seconds <= rules.notice_long_times * average:
        return ""
    times = f"{rules.notice_long_times:g} times the average of its last {len(usual)} successes"
    return f"over {times}, {duration_text(average)}"
