"""What a run by hand runs: which jobs a plan has, in which order, and where it ends."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.jobs import Job
from janitor.runs import Outcome
from janitor.state import State, builds
from janitor.verbs import run_plan
from janitor.verbs.run_plan import Plan
from tests.small_engine import job_of, migrated, nothing, now, remember_run

BUILDS_ON: dict[str, tuple[str, ...]] = {
    "fetch": (),
    "clean": ("fetch",),
    "count": ("fetch",),
    "report": ("clean", "count"),
    "send": ("report",),
}
JOBS = {name: job_of(nothing, id=name, dependencies=dependencies) for name, dependencies in BUILDS_ON.items()}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """A state database in which nothing has run."""
    made = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    yield made
    made.close()


def ran(state: State, run_id: int, job: str, outcome: Outcome = Outcome.SUCCEEDED, **used: int) -> None:
    """Put a run into the history, with the runs of its dependencies that it used."""
    remember_run(state, job, now() + timedelta(seconds=run_id), outcome.value, id=run_id)
    with state.begin() as connection:
        builds.add_uses(connection, run_id, used)


def planned(state: State, wanted: str, *, before: bool = False, behind: bool = False, **pins: int) -> list[str]:
    """The ids of the jobs that a plan has, in their order."""
    plan = run_plan.plan(state, JOBS, JOBS[wanted], with_dependencies=before, rerun_dependents=behind, pins=pins)
    return [job.id for job in plan.jobs]


def test_a_plan_has_only_the_job_if_no_more_is_asked_for(state: State) -> None:
    assert planned(state, "clean") == ["clean"]
    assert planned(state, "fetch", behind=True) == ["fetch", "clean", "count", "report", "send"]


def test_a_plan_has_what_is_outdated_and_no_more(state: State) -> None:
    assert planned(state, "report", before=True) == ["fetch", "clean", "count", "report"]
    ran(state, 1, "fetch")
    ran(state, 2, "clean", fetch=1)
    ran(state, 3, "count", fetch=1)
    assert planned(state, "report", before=True) == ["report"]
    ran(state, 4, "fetch")
    ran(state, 5, "count", fetch=4)
    assert planned(state, "report", before=True) == ["clean", "report"]


def test_what_builds_on_outdated_jobs_is_planned_too(state: State) -> None:
    ran(state, 1, "fetch")
    ran(state, 2, "clean", fetch=1)
    ran(state, 3, "count", fetch=1)
    ran(state, 4, "report", clean=2, count=3)
    ran(state, 5, "fetch")
    assert planned(state, "send", before=True) == ["clean", "count", "report", "send"]


def test_what_only_pinned_jobs_build_on_is_left_out(state: State) -> None:
    ran(state, 1, "clean")
    assert planned(state, "report", before=True, clean=1) == ["fetch", "count", "report"]
    assert planned(state, "report", before=True, clean=1, count=1) == ["report"]


def carried_out(state: State, plan: Plan, *ends: Outcome) -> tuple[list[str], Outcome, list[str]]:
    """Carry a plan out with these outcomes, one for each run; the jobs that ran, what decided, and what is left."""
    names: list[str] = []

    def run(job: Job) -> Outcome:
        names.append(job.id)
        return ends[len(names) - 1]

    outcome, left = run_plan.carry_out(plan, state, run)
    return names, outcome, [job.id for job in left]


def jobs(*names: str) -> Sequence[Job]:
    return [JOBS[name] for name in names]


def test_a_failure_ends_a_plan_and_decides(state: State) -> None:
    plan = Plan(jobs("fetch", "clean"), JOBS["count"], jobs("report"))
    ended = carried_out(state, plan, Outcome.SUCCEEDED, Outcome.TIMED_OUT)
    assert ended == (["fetch", "clean"], Outcome.TIMED_OUT, ["count", "report"])


def test_the_wanted_job_decides_if_all_goes_on(state: State) -> None:
    plan = Plan(jobs("fetch"), JOBS["clean"], jobs("report"))
    ended = carried_out(state, plan, Outcome.SUCCEEDED, Outcome.SKIPPED, Outcome.SUCCEEDED)
    assert ended == (["fetch", "clean", "report"], Outcome.SKIPPED, [])


def test_a_job_that_another_has_built_meanwhile_is_left_out(state: State) -> None:
    plan = Plan(jobs("fetch"), JOBS["clean"], ())
    ran(state, 1, "fetch")
    assert carried_out(state, plan, Outcome.SUCCEEDED) == (["clean"], Outcome.SUCCEEDED, [])


@pytest.mark.parametrize("asked", [Outcome.CANCELLED, Outcome.INTERRUPTED])
def test_nothing_begins_once_a_plan_is_asked_to_stop(state: State, asked: Outcome) -> None:
    names: list[str] = []

    def run(job: Job) -> Outcome:
        names.append(job.id)
        return Outcome.SUCCEEDED

    plan = Plan(jobs("fetch"), JOBS["clean"], jobs("report"))
    outcome, left = run_plan.carry_out(plan, state, run, lambda: asked if names else None)
    assert (names, outcome, [job.id for job in left]) == (["fetch"], asked, ["clean", "report"])


def test_pins_name_a_run_for_each_job() -> None:
    assert run_plan.pinned(["crawl=12", "fetch=7"]) == {"crawl": 12, "fetch": 7}


@pytest.mark.parametrize("texts", [["crawl"], ["=12"], ["crawl=x"], ["crawl=-1"], ["crawl=1", "crawl=2"]])
def test_a_malformed_pin_is_refused_with_its_text(texts: Sequence[str]) -> None:
    with pytest.raises(BadSetting) as caught:
        run_plan.pinned(texts)
    assert str(caught.value).startswith(f"--pin is '{texts[-1]}': give a dependency and the id of one of its runs")
