"""The rules: which conditions hold for a job. A file for each rule, and each rule is a pure decision on facts."""

from collections.abc import Mapping
from datetime import datetime

from janitor.notices.facts import Condition, Facts, Rule
from janitor.notices.rules.failed import failed
from janitor.notices.rules.interrupted import interrupted
from janitor.notices.rules.missed import missed
from janitor.notices.rules.overdue import overdue
from janitor.notices.rules.quarantine_growing import quarantine_growing
from janitor.notices.rules.ran_long import AVERAGE_OF, ran_long
from janitor.notices.rules.started_late import started_late
from janitor.notices.rules.suspiciously_empty import suspiciously_empty
from janitor.settings.notices import NoticeRules

OF_RULE: Mapping[str, Rule] = {
    "failed": failed,
    "missed": missed,
    "interrupted": interrupted,
    "overdue": overdue,
    "started_late": started_late,
    "ran_long": ran_long,
    "suspiciously_empty": suspiciously_empty,
    "quarantine_growing": quarantine_growing,
}
"""Every rule that makes a condition. `recovered` makes none: it only asks to be told of the end of `failed`."""
OF_RUNS = frozenset({"failed", "missed", "interrupted", "started_late", "ran_long", "suspiciously_empty"})
"""The rules whose condition may hold because of how a run ended."""


def conditions(facts: Facts, rules: NoticeRules, now: datetime) -> dict[str, Condition]:
    """Return the conditions that hold at a moment, by rule."""
    found = (OF_RULE[rule](facts, rules, now) for rule in rules.notice_rules if rule in OF_RULE)
    return {condition.rule: condition for condition in found if condition is not None}


def conditions_after(facts: Facts, rules: NoticeRules) -> dict[str, Condition]:
    """Return the conditions that the newest record of the history brings with it, by rule."""
    found = (OF_RULE[rule](facts, rules, None) for rule in rules.notice_rules if rule in OF_RUNS)
    return {condition.rule: condition for condition in found if condition is not None}


def kept_successes(rules: NoticeRules) -> int:
    """Return how many successes of a job the rules look at."""
    return max(AVERAGE_OF, rules.notice_empty_after if "suspiciously_empty" in rules.notice_rules else 0) + 1
