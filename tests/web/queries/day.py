"""A day with two jobs, for the queries of the overview."""

from datetime import datetime

from janitor.jobs import Job
from janitor.state import State
from janitor.web.queries import models
from janitor.web.queries.overview import overview_of
from tests.small_engine import job_of
from tests.web.queries.past import MINUTE, NOON, ask

HOUR = 60 * MINUTE
NOW = NOON + 18.5 * HOUR
JOBS = {id: job_of(print, id=id) for id in ("a", "b")}


def look(state: State, now: datetime = NOW, jobs: dict[str, Job] = JOBS) -> models.Overview:
    """The overview at a moment."""
    found: models.Overview = ask(state, overview_of, jobs, now)
    return found
