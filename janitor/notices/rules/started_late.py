"""`started_late`: a run started more than NOTICE_LATE_SECONDS after its slot."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.notices.times import duration_text, instant_text
from janitor.settings.notices import NoticeRules
from janitor.state.run_records import BY_HAND, CATCH_UP


def started_late(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell how late the current run started; if no run goes on, how late the last run started."""
    run = facts.running or facts.history.last_run
    if run is None or run.slot_at is None or run.origin == BY_HAND:
        return None
    if facts.enabled_at is not None and run.slot_at < facts.enabled_at:
        return None
    late = (run.started_at - run.slot_at).total_seconds()
    if late <= rules.notice_late_seconds:
        return None
    # The daemon was down: the missed slots just before have told that already.
    after_missed = facts.history.ends_missed if facts.running else facts.history.after_missed
    if run.origin == CATCH_UP and after_missed:
        return None
    text = f"run {run.id} started {duration_text(late)} after its slot, {instant_text(run.slot_at)}"
    return Condition("started_late", facts.job, text, run.id)
