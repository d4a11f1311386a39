"""The rules: which conditions hold for a job. A file for each rule, and each rule is a pure decision on facts."""

from collections.abc import Mapping
from datetime import datetime

from janitor.jobs.job import Job
from janitor.notices.facts import Condition, Facts, Rule
from janitor.notices.rules.dead_letters_growing import dead_letters_growing
from janitor.notices.rules.failed import failed
from janitor.notices.rules.interrupted import interrupted
from janitor.notices.rules.items_wait import items_wait
from janitor.notices.rules.missed import missed
from janitor.notices.rules.overdue import overdue
from janitor.notices.rules.quarantine_growing import quarantine_growing
from janitor.notices.rules.ran_long import AVERAGE_OF, ran_long
from janitor.notices.rules.reply_undelivered import reply_undelivered
from janitor.notices.rules.started_late import started_late
from janitor.notices.rules.step_fails import step_fails
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
    "step_fails": step_fails,
    "items_wait": items_wait,
    "dead_letters_growing": dead_letters_growing,
    "reply_undelivered": reply_undelivered,
}
"""Every rule that makes a condition. `recovered` makes none: it only asks to be told of the end of `failed`."""
OF_RUNS = frozenset({"failed", "missed", "interrupted", "started_late", "ran_long", "suspiciously_empty"})
"""The rules whose condition may hold because of how a run ended."""


OF_WORK: Mapping[str, frozenset[str]] = {
    "step": frozenset({"step_fails", "items_wait"}),
    "inbox": frozenset({"dead_letters_growing"}),
    "reply": frozenset({"reply_undelivered"}),
}
"""The rules that only a job of a pipeline can meet, by the job's kind."""
NOT_OF_WORK = frozenset({"ran_long", "suspiciously_empty"})
"""The rules that a run tells nothing about which goes on for as long as there is work."""


def of_job(job: Job, rules: NoticeRules) -> NoticeRules:
    """The rules without those that say nothing of a job."""
    own = OF_WORK[job.work.kind] if job.work is not None else frozenset()
    others = frozenset().union(*OF_WORK.values()) - own | (NOT_OF_WORK if job.work is not None else frozenset())
    return rules.model_copy(update={"notice_rules": tuple(one for one in rules.notice_rules if one not in others)})


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
