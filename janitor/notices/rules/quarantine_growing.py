"""`quarantine_growing`: NOTICE_QUARANTINE_ROWS rows came into quarantine within a day and are still there."""

from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.settings.notices import NoticeRules


def quarantine_growing(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    """Tell how many rows came into the job's quarantine within the last day."""
    if facts.quarantined < rules.notice_quarantine_rows:
        return None
    text = f"{facts.quarantined} rows that came into quarantine within a day are still there"
    return Condition("quarantine_growing", facts.job, text)
