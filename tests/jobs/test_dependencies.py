"""Which job builds on which: statuses, what is due, orders and circles.

Given: jobs that depend on one another, and their runs so far, each with the runs that it used.
What happens: a job runs, and succeeds, fails, is skipped or is interrupted.
What must hold: each job is due once for each new set of inputs, after all that it builds on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import BadSetting
from janitor.jobs import Job
from janitor.jobs.dependencies import (
    NotReady,
    Status,
    before,
    behind,
    check,
    cycles,
    due,
    needs_build,
    order,
    status,
    used_now,
)
from janitor.jobs.schedules import parse
from janitor.jobs.standings import Build, Standing
from janitor.settings import Settings

ZONE = Settings.load({}, dotenv=None).schedule_timezone


def job(name: str, *dependencies: str, schedule: str = "after") -> Job:
    trigger = parse(schedule if dependencies else "by hand", ZONE, "")
    return Job(name, print, (), {}, trigger, dependencies=dependencies)


DIAMOND = {one.id: one for one in (job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c"))}


class History:
    """Runs of jobs, and the standings that the state database would give for them."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self.jobs, self.runs = jobs, list[tuple[str, str, Mapping[str, int]]]()

    def run(self, name: str, outcome: str = "succeeded") -> int:
        used = used_now(self.jobs[name], self.standings, {})
        self.runs.append((name, outcome, used))
        return len(self.runs)

    @property
    def standings(self) -> dict[str, Standing]:
        found = {}
        for name in self.jobs:
            mine = [(at, outcome, used) for at, (job, outcome, used) in enumerate(self.runs, 1) if job == name]
            success = max((at for at, outcome, _ in mine if outcome == "succeeded"), default=None)
            current = max((one for one in mine if one[1] in ("succeeded", "skipped")), default=None, key=lambda o: o[0])
            newest = max((one for one in mine if one[1] != "interrupted"), default=None, key=lambda o: o[0])
            found[name] = Standing(
                success,
                Build(current[0], used=current[2]) if current else None,
                Build(newest[0], newest[1], newest[2]) if newest else None,
            )
        return found

    def due(self) -> list[str]:
        standings = self.standings
        return [name for name, one in self.jobs.items() if due(one, standings)]

    def status(self, name: str) -> str:
        return status(self.jobs[name], self.standings).value


def test_a_diamond_runs_each_job_once() -> None:
    history = History(DIAMOND)
    assert history.due() == []
    history.run("a")
    assert history.due() == ["b", "c"]
    history.run("b")
    assert history.due() == ["c"]
    history.run("c")
    assert history.due() == ["d"]
    history.run("d")
    assert history.due() == []


def test_failed_runs_wait_for_new_input_interrupted_do_not() -> None:
    history = History(DIAMOND)
    history.run("a")
    history.run("b", "failed")
    history.run("c", "interrupted")
    assert history.due() == ["c"]
    history.run("a")
    assert history.due() == ["b", "c"]


def test_a_dependency_that_found_nothing_new_holds_nobody_up() -> None:
    history = History(DIAMOND)
    for name in "abcd":
        history.run(name)
    history.run("a")
    history.run("b", "skipped")
    assert history.due() == ["c"]
    history.run("c")
    assert history.due() == ["d"]
    assert history.status("d") == "outdated"
    history.run("d")
    assert (history.due(), history.status("d")) == ([], "succeeded")


def test_nothing_is_due_if_no_dependency_found_anything() -> None:
    history = History(DIAMOND)
    for name in "abcd":
        history.run(name)
    history.run("a")
    history.run("b", "skipped")
    history.run("c", "skipped")
    assert history.due() == []
    assert [history.status(name) for name in "abcd"] == ["succeeded"] * 4


def test_statuses_come_in_their_order() -> None:
    history = History(DIAMOND)
    assert history.status("a") == Status.NOT_RUN
    history.run("a", "failed")
    assert history.status("a") == Status.FAILED
    history.run("a")
    assert (history.status("a"), history.status("b")) == (Status.SUCCEEDED, Status.NOT_RUN)
    history.run("b")
    history.run("a")
    assert history.status("b") == Status.OUTDATED
    history.run("b", "failed")
    assert history.status("b") == Status.OUTDATED
    history.run("b")
    assert history.status("b") == Status.SUCCEEDED
    history.run("b", "failed")
    assert history.status("b") == Status.FAILED


def test_a_job_waits_for_the_first_success_of_each_dependency() -> None:
    history = History(DIAMOND)
    with pytest.raises(NotReady, match="b depends on a, which has not succeeded yet: run a first"):
        history.run("b")
    history.run("a", "skipped")
    with pytest.raises(NotReady, match="d depends on b and c, which have not succeeded yet"):
        used_now(DIAMOND["d"], history.standings, {})
    assert used_now(DIAMOND["d"], history.standings, {"b": 3, "c": 4}) == {"b": 3, "c": 4}


def test_orders() -> None:
    assert before(DIAMOND, "d") in (["a", "b", "c"], ["a", "c", "b"])
    assert behind(DIAMOND, "a") in (["b", "c", "d"], ["c", "b", "d"])
    assert (before(DIAMOND, "a"), behind(DIAMOND, "d")) == ([], [])


def test_circles_are_told_in_the_order_in_which_jobs_wait() -> None:
    assert cycles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) in (
        [["a", "b", "c", "a"]],
        [["b", "c", "a", "b"]],
        [["c", "a", "b", "c"]],
    )
    assert cycles({"a": ["a"]}) == [["a", "a"]]
    assert cycles({"a": [], "b": ["a"]}) == []


def test_unknown_dependencies_and_circles_are_refused() -> None:
    check(DIAMOND)
    with pytest.raises(BadSetting, match="dependencies of job b is 'a': there is no such job; the jobs are b"):
        check({"b": job("b", "a")})
    with pytest.raises(BadSetting, match="(a -> b -> a|b -> a -> b)': they go round in a circle: leave one out"):
        check({"a": job("a", "b"), "b": job("b", "a")})


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Job]:
    names = [f"job{number}" for number in range(draw(st.integers(2, 7)))]
    jobs = {}
    for at, name in enumerate(names):
        jobs[name] = job(name, *draw(st.lists(st.sampled_from(names[:at]), unique=True)) if at else ())
    return jobs


@given(graphs(), st.data())
def test_each_job_runs_once_after_its_dependencies(jobs: dict[str, Job], data: st.DataObject) -> None:
    history = History(jobs)
    for name in order(jobs):
        history.run(name)
    ran = settle(history)
    assert ran == []
    roots = [name for name, one in jobs.items() if not one.dependencies]
    started = data.draw(st.lists(st.sampled_from(roots), min_size=1, unique=True))
    for name in started:
        history.run(name)
    ran = settle(history)
    assert len(ran) == len(set(ran)), "a job ran twice"
    for name, one in jobs.items():
        newer = [other for other in one.dependencies if other in ran or other in started]
        assert (name in ran) == (bool(one.dependencies) and len(newer) == len(one.dependencies))
        if name in ran or name in started:
            assert not needs_build(one, history.standings)


def settle(history: History) -> Sequence[Any]:
    ran: list[str] = []
    while waiting := history.due():
        assert len(ran) < 50, f"it never ends: {ran}"
        history.run(waiting[-1])
        ran.append(waiting[-1])
    return ran
