"""The dependency graph."""

from pydantic import Field

from janitor.web.queries.models.jobs import Status
from janitor.web.queries.models.model import Model


class GraphNode(Model):
    """One job in the dependency graph."""

    id: str
    title: str
    status: Status
    running: bool
    dependencies: list[str]


class Graph(Model):
    """How jobs depend on one another."""

    jobs: list[GraphNode] = Field(description="Each job after the jobs that it depends on.")
