"""A run by hand with what it builds on before it, and what builds on it after: in what order, and where it stops."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from janitor.errors import BadSetting
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.jobs.standings import Standing
from janitor.runs import Outcome
from janitor.state import State, builds

GOES_ON = (Outcome.SUCCEEDED, Outcome.SKIPPED)


@dataclass(frozen=True)
class Plan:
    """The jobs that one wish runs, in their order; those of `outdated` only where they still need it then."""

    outdated: Sequence[Job]
    wanted: Job
    dependents: Sequence[Job]

    @property
    def jobs(self) -> list[Job]:
        """All of them, in order."""
        return [*self.outdated, self.wanted, *self.dependents]


def plan(
    state: State,
    jobs: Mapping[str, Job],
    wanted: Job,
    *,
    with_dependencies: bool,
    rerun_dependents: bool,
    pins: Mapping[str, int],
) -> Plan:
    """What would run: the outdated among all that `wanted` builds on, itself, and all that builds on it.

    What is pinned is not built, nor what only that builds on.
    """
    outdated: list[Job] = []
    if with_dependencies:
        within = {**jobs, wanted.id: wanted}
        free = {**within, **{name: _alone(within[name]) for name in pins if name in within}}
        before = [name for name in dependencies.before(free, wanted.id) if name not in pins]
        standings = read(state, [*before, *pins])
        for name in before:
            job = jobs[name]
            if dependencies.needs_build(job, standings) or any(one.id in job.dependencies for one in outdated):
                outdated.append(job)
    dependents = dependencies.behind(jobs, wanted.id) if rerun_dependents else []
    return Plan(outdated, wanted, [jobs[name] for name in dependents])


def carry_out(plan: Plan, state: State, run: Callable[[Job], Outcome]) -> tuple[Outcome, list[Job]]:
    """Run a plan to its end, or to the first job that does not succeed; that outcome, and the jobs that did not run."""
    waiting = plan.jobs
    decisive = Outcome.SUCCEEDED
    while waiting:
        job = waiting.pop(0)
        if job in plan.outdated and not dependencies.needs_build(job, read(state, [job.id, *job.dependencies])):
            continue
        outcome = run(job)
        decisive = outcome if job is plan.wanted or outcome not in GOES_ON else decisive
        if outcome not in GOES_ON:
            break
    return decisive, waiting


def pinned(texts: Sequence[str]) -> dict[str, int]:
    """What `--pin JOB=RUN` says, given any number of times.

    Raises:
        BadSetting: one is not of that form, or a job is pinned twice.
    """
    pins: dict[str, int] = {}
    for text in texts:
        name, _, run_id = text.partition("=")
        if not name or not run_id.isdecimal() or name in pins:
            raise BadSetting("--pin", text, "give a dependency and the id of one of its runs, once, as in crawl=12")
        pins[name] = int(run_id)
    return pins


def read(state: State, names: Sequence[str]) -> dict[str, Standing]:
    """How these jobs stand now."""
    with state.read() as connection:
        return builds.standings(connection, list(dict.fromkeys(names)))


def _alone(job: Job) -> Job:
    return replace(job, dependencies=())
