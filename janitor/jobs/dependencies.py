"""Which job builds on which: in what order they run, what is outdated, and what is due by itself."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from janitor.errors import BadSetting, JanitorError
from janitor.jobs.job import Job
from janitor.jobs.standings import Standing
from janitor.runs import Outcome

_NONE = Standing()
"""How a job stands that nothing is known of."""


class Status(StrEnum):
    """How a job stands; the first that applies, in this order."""

    NOT_RUN = "not_run"
    OUTDATED = "outdated"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class NotReady(JanitorError):
    """Raised when a job cannot run before a dependency has: run that one first."""


def status(job: Job, standings: Mapping[str, Standing]) -> Status:
    """How a job stands among its dependencies, by the run ids that were used and not by clocks.

    `not_run`: it never came to an end that counts. `outdated`: its newest success used an older success of a dependency
    than the newest; a skipped run counts as one. `succeeded` or `failed`: how its newest run ended.
    """
    standing = standings.get(job.id, _NONE)
    ended = standing.newest is not None and standing.newest.outcome is not None
    if standing.current is None and not ended:
        return Status.NOT_RUN
    if standing.current is not None and outdated(job, standings):
        return Status.OUTDATED
    if not ended or (standing.newest and standing.newest.outcome in (Outcome.SUCCEEDED, Outcome.SKIPPED)):
        return Status.SUCCEEDED
    return Status.FAILED


def outdated(job: Job, standings: Mapping[str, Standing]) -> list[str]:
    """The dependencies that have newer successes than the job's newest success, or skipped run, used."""
    current = standings.get(job.id, _NONE).current
    used = current.used if current else {}
    return [name for name in job.dependencies if (_success(standings, name) or 0) > used.get(name, 0)]


def needs_build(job: Job, standings: Mapping[str, Standing]) -> bool:
    """Whether jobs that depend on this one would get something older than they could have."""
    return _success(standings, job.id) is None or bool(outdated(job, standings))


def due(job: Job, standings: Mapping[str, Standing]) -> bool:
    """Whether a job that runs `after` its dependencies is to run: all have newer successes than it has used.

    A dependency that ran since and found nothing to do is as good as a newer success, where another one has one. What
    a failed run used counts as used: it is not repeated with the same.
    """
    last = standings.get(job.id, _NONE).newest
    used, since = (last.used, last.run_id) if last else ({}, 0)
    if not job.after or not job.dependencies or (last is not None and last.outcome is None):
        return False
    newer = [name for name in job.dependencies if (_success(standings, name) or 0) > used.get(name, 0)]
    waits = (standings.get(name, _NONE) for name in job.dependencies if name not in newer)
    settled = all(one.success and one.current and one.current.run_id > since for one in waits)
    return bool(newer) and settled


def used_now(job: Job, standings: Mapping[str, Standing], pins: Mapping[str, int]) -> dict[str, int]:
    """Which run of each dependency a run that begins now uses: the pinned one, or the newest success.

    Raises:
        NotReady: a dependency has no success yet; the error names all of these.
    """
    used = {name: pins.get(name) or _success(standings, name) for name in job.dependencies}
    missing = [name for name, run_id in used.items() if run_id is None]
    if missing:
        has = "has" if len(missing) == 1 else "have"
        raise NotReady(
            f"{job.id} depends on {' and '.join(missing)}, which {has} not succeeded yet: "
            f"run {' and '.join(missing)} first"
        )
    return {name: run_id for name, run_id in used.items() if run_id is not None}


def with_dependencies(jobs: Iterable[Job]) -> list[str]:
    """The ids of these jobs and of those that they depend on, each once."""
    return list(dict.fromkeys(name for job in jobs for name in (job.id, *job.dependencies)))


def dependents(jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    """The jobs that depend on each one that others depend on."""
    found: dict[str, list[str]] = {}
    for job in jobs.values():
        for name in job.dependencies:
            found.setdefault(name, []).append(job.id)
    return found


def before(jobs: Mapping[str, Job], job_id: str) -> list[str]:
    """All that a job builds on, directly or not, each after what it builds on itself."""
    reached = _reach(job_id, {one.id: one.dependencies for one in jobs.values()})
    return [name for name in order(jobs) if name in reached]


def behind(jobs: Mapping[str, Job], job_id: str) -> list[str]:
    """All that builds on a job, directly or not, each after what it builds on itself."""
    reached = _reach(job_id, dependents(jobs))
    return [name for name in order(jobs) if name in reached]


def order(jobs: Mapping[str, Job]) -> list[str]:
    """All jobs, each after those it depends on; there must be no cycle among them."""
    return list(TopologicalSorter({one.id: one.dependencies for one in jobs.values()}).static_order())


def check(jobs: Mapping[str, Job]) -> None:
    """Refuse dependencies that are no jobs, and jobs that wait for one another.

    Raises:
        BadSetting: there is one; the error names it.
    """
    for job in jobs.values():
        for name in (name for name in job.dependencies if name not in jobs):
            known = f"there is no such job; the jobs are {', '.join(jobs)}"
            raise BadSetting(f"dependencies of job {job.id}", name, known)
    for circle in cycles({job.id: job.dependencies for job in jobs.values()}):
        text = "they go round in a circle: leave one out"
        raise BadSetting(f"dependencies of job {circle[0]}", " -> ".join(circle), text)


def cycles(dependencies: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Each circle of jobs that wait for one another, in the order in which they do; its first is its last, too."""
    graph, found = {job: list(names) for job, names in dependencies.items()}, list[list[str]]()
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as exc:
            # The sorter names each job before the one that depends on it.
            circle = list(reversed(exc.args[1]))
            found.append(circle)
            graph[circle[0]] = [name for name in graph[circle[0]] if name != circle[1]]
        else:
            return found


def _success(standings: Mapping[str, Standing], job: str) -> int | None:
    return standings.get(job, _NONE).success


def _reach(start: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    reached, waiting = set[str](), list(edges.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += edges.get(name, ())
    return reached
