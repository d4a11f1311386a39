"""Compares the conditions that hold with the notices that are open: the difference is the steps to tell.

condition   open notice
holds       none           -> the notice begins
holds       open           -> nothing; it is repeated if NOTICE_REPEAT is over, and it lasts or happened again
gone        open           -> the notice ends, and says why
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from janitor.jobs.job import Job
from janitor.notices import house
from janitor.notices.facts import Condition, Facts
from janitor.notices.history import History
from janitor.notices.rules import OF_RUNS, conditions, conditions_after
from janitor.notices.rules.endings import why_over
from janitor.notices.steps import Key, OpenNotice, Step
from janitor.settings.notices import NoticeRules
from janitor.state.deliveries import BEGAN, ENDED, REPEATED

ENDED_BY_PAUSE = frozenset({"overdue", "items_wait"})
"""The rules that hold for no paused job."""


class Comparison:
    """Collects the `steps` of one look. Each step counts at once: the next step is compared with what it leaves."""

    def __init__(
        self, jobs: Mapping[str, Job], rules: Mapping[str, NoticeRules], told: Mapping[Key, OpenNotice], now: datetime
    ) -> None:
        """Start from the open notices, `told`."""
        self.steps: list[Step] = []
        self._jobs, self._rules, self._told, self._now = jobs, rules, dict(told), now

    def after_run(self, facts: Facts) -> None:
        """Compare what holds because of the newest record; notices of the other rules stay as they are."""
        holds = conditions_after(facts, self._rules[facts.job])
        self._begin_or_repeat(facts, holds, repeat=False)
        self._end(facts, holds, OF_RUNS)

    def at_moment(self, facts: Facts, *, paused: bool) -> None:
        """Compare everything that holds for a job now. A paused job is told nothing again."""
        enabled = self._jobs[facts.job].enabled
        holds = conditions(facts, self._rules[facts.job], self._now) if enabled else {}
        self._begin_or_repeat(facts, holds, repeat=not paused)
        self._end(facts, holds, None, paused=paused)

    def end_orphans(self) -> None:
        """End the notices of jobs that there are no longer."""
        for job, rule in [key for key in self._told if key[0] not in self._jobs and key[1] not in house.RULES]:
            self._add_end((job, rule), Facts(job, History()), "there is no such job any more")

    def of_house(self, holds: Mapping[str, Condition]) -> None:
        """Compare what holds for the state database as a whole; it is not repeated."""
        facts = Facts(house.HOUSE, History())
        for rule in house.RULES:
            key, condition = (house.HOUSE, rule), holds.get(rule)
            if condition is not None and key not in self._told:
                self.steps.append(Step(BEGAN, condition, facts))
                self._told[key] = OpenNotice(0, condition.text, None, began_at=self._now, told_at=self._now)
            elif condition is None and key in self._told:
                self._add_end(key, facts, house.OVER)

    def _begin_or_repeat(self, facts: Facts, holds: Mapping[str, Condition], *, repeat: bool) -> None:
        for rule, condition in holds.items():
            key = facts.job, rule
            before = self._told.get(key)
            text, run_id = condition.text, condition.run_id
            if before is None:
                self.steps.append(Step(BEGAN, condition, facts))
                self._told[key] = OpenNotice(0, text, run_id, began_at=self._now, told_at=self._now)
            elif rule == "overdue" and "failed" in holds:
                continue  # `failed` is repeated, which is enough
            elif repeat and self._is_due(before, condition):
                self.steps.append(Step(REPEATED, condition, facts))
                self._told[key] = replace(before, text=text, run_id=run_id, told_at=self._now)

    def _is_due(self, before: OpenNotice, condition: Condition) -> bool:
        if self._now - before.told_at < self._rules[condition.job].notice_repeat:
            return False
        return condition.lasts or (condition.run_id, condition.text) != (before.run_id, before.text)

    def _end(
        self, facts: Facts, holds: Mapping[str, Condition], only: frozenset[str] | None, *, paused: bool = False
    ) -> None:
        """End a job's notices whose condition is gone; `only` these rules, or all of them if None."""
        for job, rule in [key for key in self._told if key[0] == facts.job and key[1] not in holds]:
            if only is None or rule in only:
                over = "it is paused" if rule in ENDED_BY_PAUSE and paused else self._why_over(rule, facts)
                self._add_end((job, rule), facts, over)

    def _add_end(self, key: Key, facts: Facts, over: str) -> None:
        was = self._told.pop(key)
        job, rule = key
        self.steps.append(Step(ENDED, Condition(rule, job, was.text, was.run_id), facts, over))

    def _why_over(self, rule: str, facts: Facts) -> str:
        job = self._jobs[facts.job]
        if not job.enabled:
            return f"it is switched off: {job.disabled_because}"
        if rule not in self._rules[facts.job].notice_rules:
            return "nobody wants to know of it any more"
        return why_over(rule, facts)
