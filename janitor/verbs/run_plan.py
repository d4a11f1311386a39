"""What a run by hand runs: the outdated jobs that it builds on, the job itself, and the jobs that build on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from janitor.errors import BadSetting
from janitor.items.adding import keep_new_plans
from janitor.items.pipelines import pipelines_of
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.jobs.standings import Standing
from janitor.runs import Outcome
from janitor.state import State, builds

GOES_ON = (Outcome.SUCCEEDED, Outcome.SKIPPED)


@dataclass(frozen=True)
class Plan:
    """The jobs that one wish runs, in their order; a job of `outdated` runs only if it is still outdated then."""

    outdated: Sequence[Job]
    wanted: Job
    dependents: Sequence[Job]

    @property
    def jobs(self) -> list[Job]:
        """All jobs, in their order."""
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
    """Plan what runs: the outdated jobs that `wanted` builds on, `wanted` itself, and the jobs that build on it.

    A pinned job does not run. A job that only pinned jobs build on does not run either.
    """
    outdated: list[Job] = []
    if with_dependencies:
        within = {**jobs, wanted.id: wanted}
        free = {**within, **{name: _alone(within[name]) for name in pins if name in within}}
        before = [name for name in dependencies.before(free, wanted.id) if name not in pins]
        standings = read(state, [*before, *pins])
        for name in before:
            job = jobs[name]
            if dependencies.needs_build(job, standings) or any(other.id in job.dependencies for other in outdated):
                outdated.append(job)
    dependents = dependencies.behind(jobs, wanted.id) if rerun_dependents else []
    return Plan(outdated, wanted, [jobs[name] for name in dependents])


def carry_out(
    plan: Plan, state: State, run: Callable[[Job], Outcome], stopped: Callable[[], Outcome | None] = lambda: None
) -> tuple[Outcome, list[Job]]:
    """Run a plan up to the first job that does not succeed; return the decisive outcome, and the jobs left over.

    No job begins once `stopped` tells the outcome of a plan that was asked to stop.
    """
    waiting = plan.jobs
    decisive = Outcome.SUCCEEDED
    while waiting:
        if (outcome := stopped()) is not None:
            return outcome, waiting
        job = waiting.pop(0)
        if job in plan.outdated and not dependencies.needs_build(job, read(state, [job.id, *job.dependencies])):
            continue
        outcome = run(job)
        decisive = outcome if job is plan.wanted or outcome not in GOES_ON else decisive
        if outcome not in GOES_ON:
            break
    return decisive, waiting


def keep_plans(state: State, jobs: Mapping[str, Job], dry_run: bool) -> None:
    """Let runs add items to pipelines that no daemon has had yet; a dry run adds none."""
    if not dry_run:
        keep_new_plans(state, pipelines_of(jobs).values())


def pinned(texts: Sequence[str]) -> dict[str, int]:
    """The run of each job that `--pin JOB=RUN` names; the option may be given several times.

    Raises:
        BadSetting: an option is not of that form, or a job is pinned twice.
    """
    pins: dict[str, int] = {}
    for text in texts:
        name, _, run_id = text.partition("=")
        if not name or not run_id.isdecimal() or name in pins:
            raise BadSetting("--pin", text, "give a dependency and the id of one of its runs, once, as in crawl=12")
        pins[name] = int(run_id)
    return pins


def read(state: State, names: Sequence[str]) -> dict[str, Standing]:
    """The standings of these jobs now."""
    with state.read() as connection:
        return builds.standings(connection, list(dict.fromkeys(names)))


def _alone(job: Job) -> Job:
    return replace(job, dependencies=())
