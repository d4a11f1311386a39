"""Which job builds on which: in what order jobs run, which are outdated, which are due by themselves.

Run ids decide, not clocks. Each run has noted which run of each dependency it used:

    fetch    1   4              4 is the newest success
    clean      2   5            5 used fetch 4
    report       3              3 used clean 2: outdated, since clean 5 is newer

A job that runs `after` its dependencies is due once each of them has a success that the job has not used.
A dependency that ran since and found nothing to do holds nobody up: then its old success is still right.
A failed run has used its inputs: the job waits for new ones. An interrupted run has not: it is due again.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from janitor.errors import BadSetting, JanitorError
from janitor.jobs.job import Job
from janitor.jobs.standings import Standing
from janitor.runs import Outcome
from janitor.runs.bounds import listed_near

MOST_CIRCLES = 20

_NONE = Standing()
"""The standing of a job without any run."""


class Status(StrEnum):
    """How a job stands. Several may apply; the first in this order counts."""

    NOT_RUN = "not_run"
    OUTDATED = "outdated"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class NotReady(JanitorError):
    """Raised when a dependency has not succeeded yet: run the dependency first."""


def status(job: Job, standings: Mapping[str, Standing]) -> Status:
    """How a job stands among its dependencies.

    `not_run`: no run of it has ended yet. `outdated`: a dependency has a newer success than the job's newest success
    used; a run that found nothing to do counts as a success. `succeeded` or `failed`: how the newest run ended.
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
    """The dependencies whose newest success is newer than what the job used when it last succeeded or was skipped."""
    current = standings.get(job.id, _NONE).current
    used = current.used if current else {}
    return [name for name in job.dependencies if (_success(standings, name) or 0) > used.get(name, 0)]


def needs_build(job: Job, standings: Mapping[str, Standing]) -> bool:
    """Whether jobs that depend on this job would use old work: it never succeeded, or it is outdated."""
    return _success(standings, job.id) is None or bool(outdated(job, standings))


def due(job: Job, standings: Mapping[str, Standing]) -> bool:
    """Whether a job that runs `after` its dependencies is to run now.

    It is, once each dependency has a success that the job's newest run did not use. A dependency that ran since and
    found nothing to do is as good, if at least one dependency has a new success.
    """
    last = standings.get(job.id, _NONE).newest
    if not job.after or not job.dependencies or (last is not None and last.outcome is None):
        return False
    used, since = (last.used, last.run_id) if last else ({}, 0)
    newer = [name for name in job.dependencies if (_success(standings, name) or 0) > used.get(name, 0)]
    others = (standings.get(name, _NONE) for name in job.dependencies if name not in newer)
    found_nothing = all(other.success and other.current and other.current.run_id > since for other in others)
    return bool(newer) and found_nothing


def used_now(job: Job, standings: Mapping[str, Standing], pins: Mapping[str, int]) -> dict[str, int]:
    """The run of each dependency that a run beginning now uses: the pinned run, or the newest success.

    Raises:
        NotReady: dependencies have no success yet; the error names them all.
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
    """The ids of these jobs and of their dependencies, each once."""
    return list(dict.fromkeys(name for job in jobs for name in (job.id, *job.dependencies)))


def dependents(jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    """For each job that others depend on: the jobs that depend on it."""
    found: dict[str, list[str]] = {}
    for job in jobs.values():
        for name in job.dependencies:
            found.setdefault(name, []).append(job.id)
    return found


def before(jobs: Mapping[str, Job], job_id: str) -> list[str]:
    """Every job that this job builds on, directly or through others. A job stands after those it builds on."""
    reached = _reach(job_id, {job.id: job.dependencies for job in jobs.values()})
    return [name for name in order(jobs) if name in reached]


def behind(jobs: Mapping[str, Job], job_id: str) -> list[str]:
    """Every job that builds on this job, directly or through others. A job stands after those it builds on."""
    reached = _reach(job_id, dependents(jobs))
    return [name for name in order(jobs) if name in reached]


def order(jobs: Mapping[str, Job]) -> list[str]:
    """All jobs, each after its dependencies; there must be no circle among them."""
    return list(TopologicalSorter({job.id: job.dependencies for job in jobs.values()}).static_order())


def check(jobs: Mapping[str, Job]) -> None:
    """Refuse a dependency that is no job, and jobs that wait for one another in a circle.

    Raises:
        BadSetting: there is such a dependency or circle; the error names it.
    """
    for job in jobs.values():
        for name in (name for name in job.dependencies if name not in jobs):
            known = f"there is no such job; the jobs are {listed_near(name, jobs)}"
            raise BadSetting(f"dependencies of job {job.id}", name, known)
    for circle in cycles({job.id: job.dependencies for job in jobs.values()}):
        text = "they go round in a circle: leave one out"
        raise BadSetting(f"dependencies of job {circle[0]}", " -> ".join(circle), text)


def cycles(dependencies: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Circles of jobs in the order in which they wait for one another; the first job stands at the end again.

    All of them are found, unless they are more than MOST_CIRCLES.
    """
    graph, found = {job: list(names) for job, names in dependencies.items()}, list[list[str]]()
    while len(found) < MOST_CIRCLES:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as exc:
            # The sorter names a job before the job that depends on it.
            circle = list(reversed(exc.args[1]))
            found.append(circle)
            graph[circle[0]] = [name for name in graph[circle[0]] if name != circle[1]]
        else:
            break
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
