"""What a job is: a task on a schedule, with what it depends on and what it returns."""

from janitor.jobs.job import Job
from janitor.jobs.results import Result

__all__ = [
    "Job",
    "Result",
]
