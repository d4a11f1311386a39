"""How jobs depend on one another."""

from collections.abc import Mapping

from sqlalchemy import Connection

from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.state import builds
from janitor.web.queries import models


def graph_of(connection: Connection, all_jobs: Mapping[str, Job]) -> models.Graph:
    """How these jobs depend on one another, and the status of each; each job after its dependencies."""
    standings = builds.standings(connection, dependencies.with_dependencies(all_jobs.values()))
    nodes = [
        models.GraphNode(
            id=job.id,
            title=job.title,
            status=dependencies.status(job, standings).value,
            running=standings[job.id].running is not None,
            dependencies=list(job.dependencies),
        )
        for job in (all_jobs[name] for name in dependencies.order(all_jobs) if name in all_jobs)
    ]
    return models.Graph(jobs=nodes)
