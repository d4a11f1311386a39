"""Records of runs, made up for the tests of the rules."""

from datetime import datetime, timedelta, timezone
from typing import Any

from janitor.notices.history import Ended, History
from janitor.notices.rules import kept_successes
from janitor.runs import Outcome
from janitor.settings.notices import RULES, NoticeRules

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


def record(id: int, outcome: Outcome = Outcome.SUCCEEDED, **more: Any) -> Ended:
    """Make a record of a run of 20 s that began at its slot and handled 7 rows, changed by `more`."""
    at = NOON + timedelta(minutes=5 * id)
    seconds = more.get("seconds", 20.0)
    usual: dict[str, Any] = {
        "id": id,
        "outcome": outcome,
        "origin": "schedule",
        "slot_at": at,
        "slots": 1,
        "started_at": at,
        "ended_at": at + timedelta(seconds=seconds),
        "seconds": seconds,
        "reason": "no space",
        "rows": 7,
    }
    return Ended(**(usual | more))


def history(*records: Ended, rules: NoticeRules | None = None) -> History:
    """Make the history of these records."""
    found = History()
    for record in records:
        found = found.and_then(record, kept_successes(rules or all_rules()))
    return found


def all_rules(**more: Any) -> NoticeRules:
    """Switch every rule on, with the default limits changed by `more`."""
    return NoticeRules.model_validate({"notice_rules": RULES, **more})
