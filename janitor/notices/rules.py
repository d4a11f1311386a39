"""Which conditions hold of a job: pure decisions on its runs, its schedule and the time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules
from janitor.state.run_records import BY_HAND, CATCH_UP

AVERAGE_OF = 20
"""Of how many successes the average is taken that a run may be long over."""
AVERAGE_LEAST = 5
"""How many successes there must be for an average to mean anything."""
LONG_LEAST_SECONDS = 10.0
"""A run shorter than this is not long, whatever the average is."""
FAST_TIMES = 10
"""A success is too fast that took less than a tenth of the fastest before it."""
FAST_LEAST_SECONDS = 1.0
"""Where the fastest took less than this, none is too fast."""
KEPT = 50
"""How many records since the last success are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that ended, or a stretch of slots that were missed; `rows` is None for a run without counts."""

    id: int
    outcome: Outcome
    origin: str
    slot_at: datetime | None
    slots: int
    started_at: datetime
    ended_at: datetime
    seconds: float
    reason: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Running:
    """A run that goes on."""

    id: int
    origin: str
    slot_at: datetime | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """How a job's runs ended, the oldest first: its last successes, and what came after; `failures` of that failed.

    `after_missed`: slots were missed just before the last run.
    """

    successes: tuple[Ended, ...] = ()
    since: tuple[Ended, ...] = ()
    failures: int = 0
    after_missed: bool = False

    def and_then(self, record: Ended, keep: int) -> "History":
        """The history with one more record, and no more than `keep` successes."""
        after_missed = self.ends_missed
        if record.outcome is Outcome.SUCCEEDED:
            return History((*self.successes[-keep + 1 :], record), after_missed=after_missed)
        failures = self.failures + (record.outcome in (Outcome.FAILED, Outcome.TIMED_OUT))
        since = (*self.since[-KEPT + 1 :], record)
        return replace(self, since=since, failures=failures, after_missed=after_missed)

    @property
    def ends_missed(self) -> bool:
        """Whether the newest record is of missed slots."""
        return bool(self.since) and self.since[-1].outcome is Outcome.MISSED

    @property
    def runs(self) -> Sequence[Ended]:
        """What is known, less what did not run."""
        return [*self.successes, *(one for one in self.since if one.outcome is not Outcome.MISSED)]

    def newest(self, *outcomes: Outcome) -> Ended | None:
        """The newest record since the last success that has one of the outcomes."""
        return next((one for one in reversed(self.since) if one.outcome in outcomes), None)


@dataclass(frozen=True)
class Facts:
    """What the rules look at; `quarantined` rows came within the last day and are there still.

    `enabled_at` is when the job was switched on, or first known: no slot before that could start in time. `alive_at` is
    when it last gave a sign of life that is no success: it was resumed, or found nothing to do.
    """

    job: str
    history: History
    running: Running | None = None
    overdue_since: datetime | None = None
    quarantined: int = 0
    enabled_at: datetime | None = None
    alive_at: datetime | None = None


@dataclass(frozen=True)
class Condition:
    """Something that is not as it should be. One that lasts goes on by itself; another holds until a run is better."""

    rule: str
    job: str
    text: str
    run_id: int | None = None
    lasts: bool = False


def kept_successes(rules: NoticeRules) -> int:
    """How many successes of a job the rules look at."""
    return max(AVERAGE_OF, rules.notice_empty_after if "suspiciously_empty" in rules.notice_rules else 0) + 1


def conditions(facts: Facts, rules: NoticeRules, now: datetime) -> dict[str, Condition]:
    """The conditions that hold at this moment, by rule; `recovered` is none of its own, but the end of `failed`."""
    found = (OF_RULE[rule](facts, rules, now) for rule in rules.notice_rules if rule in OF_RULE)
    return {condition.rule: condition for condition in found if condition is not None}


def conditions_after(facts: Facts, rules: NoticeRules) -> dict[str, Condition]:
    """The conditions that hold because of how the last run went, at the moment when it ended."""
    found = (OF_RULE[rule](facts, rules, None) for rule in rules.notice_rules if rule in OF_RUNS)
    return {condition.rule: condition for condition in found if condition is not None}


def why_over(rule: str, facts: Facts) -> str:
    """Why a condition holds no longer, in words."""
    if rule == "quarantine_growing":
        return f"{facts.quarantined} rows that came into quarantine within a day are still there"
    runs, alive_at = facts.history.runs, facts.alive_at
    if rule == "overdue" and alive_at and all(one.ended_at < alive_at for one in facts.history.successes):
        return f"it was resumed, or a run of it found nothing to do, at {alive_at:%Y-%m-%d %H:%M:%S} UTC"
    if not runs or runs[-1].outcome is not Outcome.SUCCEEDED:
        return "that is so no longer"
    last = runs[-1]
    told = f"run {last.id} succeeded at {last.ended_at:%Y-%m-%d %H:%M:%S} UTC, after {in_words(last.seconds)}"
    return f"{told}, with {last.rows} rows" if rule == "suspiciously_empty" and last.rows else told


def in_words(seconds: float) -> str:
    """A length of time for people: 850 ms, 42 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    larger, smaller, names = (whole // 60, whole % 60, ("min", "s"))
    if whole >= 3600:
        larger, smaller, names = (whole // 3600, whole % 3600 // 60, ("h", "min"))
    if whole >= 48 * 3600:
        larger, smaller, names = (whole // 86400, whole % 86400 // 3600, ("days", "h"))
    return f"{larger} {names[0]}" + (f" {smaller} {names[1]}" if smaller else "")


def _failed(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    last = facts.history.newest(Outcome.FAILED, Outcome.TIMED_OUT)
    if last is None or facts.history.failures < rules.notice_failed_after:
        return None
    times = f" {facts.history.failures} times in a row" if facts.history.failures > 1 else ""
    how = "timed out" if last.outcome is Outcome.TIMED_OUT and not times else "failed"
    return Condition("failed", facts.job, f"{how}{times}: {last.reason}", last.id, True)


def _missed(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    last = facts.history.newest(Outcome.MISSED)
    if last is None or last.slot_at is None:
        return None
    slots = f"{last.slots} slots from" if last.slots > 1 else "the slot of"
    text = f"missed {slots} {last.slot_at:%Y-%m-%d %H:%M:%S} UTC: {last.reason}"
    return Condition("missed", facts.job, text, last.id)


def _interrupted(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    last = facts.history.newest(Outcome.INTERRUPTED)
    if last is None:
        return None
    text = f"run {last.id} was interrupted after {in_words(last.seconds)}: {last.reason}"
    return Condition("interrupted", facts.job, text, last.id)


def _overdue(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    if facts.overdue_since is None:
        return None
    successes = facts.history.successes
    last = f"the last success ended at {successes[-1].ended_at:%Y-%m-%d %H:%M:%S} UTC" if successes else "it never did"
    run = facts.running or next(iter(facts.history.runs[::-1]), None)
    text = f"did not succeed within twice its schedule: {last}"
    return Condition("overdue", facts.job, text, run.id if run else None, True)


def _started_late(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    runs = facts.history.runs
    run: Ended | Running | None = facts.running or (runs[-1] if runs else None)
    if run is None or run.slot_at is None or run.origin == BY_HAND:
        return None
    if facts.enabled_at is not None and run.slot_at < facts.enabled_at:
        return None
    late = (run.started_at - run.slot_at).total_seconds()
    # Where slots were missed just before, that tells already that the daemon was down.
    told = facts.history.ends_missed if facts.running else facts.history.after_missed
    if late <= rules.notice_late_seconds or (run.origin == CATCH_UP and told):
        return None
    text = f"run {run.id} started {in_words(late)} after its slot, {run.slot_at:%Y-%m-%d %H:%M:%S} UTC"
    return Condition("started_late", facts.job, text, run.id)


def _ran_long(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    if facts.running is not None and now is not None:
        run_id, seconds = facts.running.id, (now - facts.running.started_at).total_seconds()
        over = _over(seconds, facts.history.successes, rules)
        if over:
            text = f"run {run_id} has gone on for {in_words(seconds)}, {over}"
            return Condition("ran_long", facts.job, text, run_id, True)
    runs = facts.history.runs
    # How long a run took whose process died nobody knows: its end is when somebody noticed.
    if not runs or runs[-1].outcome is Outcome.INTERRUPTED:
        return None
    last = runs[-1]
    before = [one for one in facts.history.successes if one.id != last.id]
    over = _over(last.seconds, before, rules)
    text = f"run {last.id} took {in_words(last.seconds)}, {over}"
    return Condition("ran_long", facts.job, text, last.id) if over else None


def _over(seconds: float, successes: Sequence[Ended], rules: NoticeRules) -> str:
    """What a length is over, in words; empty where it is usual."""
    most = rules.notice_long_seconds
    if most is not None and seconds > most:
        return f"over {in_words(most)}"
    usual = [one.seconds for one in successes[-AVERAGE_OF:]]
    if len(usual) < AVERAGE_LEAST or seconds <= LONG_LEAST_SECONDS:
        return ""
    average = sum(usual) / len(usual)
    if seconds <= rules.notice_long_times * average:
        return ""
    return f"over {rules.notice_long_times:g} times the average of its last {len(usual)} successes, {in_words(average)}"


def _suspiciously_empty(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    successes = facts.history.successes
    if len(successes) <= rules.notice_empty_after:
        return None
    last, before = successes[-1], successes[-rules.notice_empty_after - 1 : -1]
    fastest = min(one.seconds for one in before)
    if not last.rows and all(one.rows for one in before):
        text = f"run {last.id} succeeded with no rows, and each of the {len(before)} successes before had some"
    elif fastest >= FAST_LEAST_SECONDS and last.seconds * FAST_TIMES < fastest:
        times = f"the fastest of the {len(before)} successes before took {in_words(fastest)}"
        text = f"run {last.id} succeeded after {in_words(last.seconds)}, and {times}"
    else:
        return None
    return Condition("suspiciously_empty", facts.job, text, last.id)


def _quarantine_growing(facts: Facts, rules: NoticeRules, now: datetime | None) -> Condition | None:
    if facts.quarantined < rules.notice_quarantine_rows:
        return None
    text = f"{facts.quarantined} rows that came into quarantine within a day are still there"
    return Condition("quarantine_growing", facts.job, text)


Rule = Callable[[Facts, NoticeRules, datetime | None], Condition | None]
OF_RULE: Mapping[str, Rule] = {
    "failed": _failed,
    "missed": _missed,
    "interrupted": _interrupted,
    "overdue": _overdue,
    "started_late": _started_late,
    "ran_long": _ran_long,
    "suspiciously_empty": _suspiciously_empty,
    "quarantine_growing": _quarantine_growing,
}
OF_RUNS = frozenset({"failed", "missed", "interrupted", "started_late", "ran_long", "suspiciously_empty"})
