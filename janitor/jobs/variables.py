"""The environment variables of a job: how they begin, and which belong to no job."""

import re
from collections.abc import Collection, Iterable

from janitor.errors import BadSetting


def variable(job_id: str) -> str:
    """The job's id as environment variables begin: `nightly-report` gives `NIGHTLY_REPORT`."""
    return re.sub(r"[^A-Z0-9]+", "_", job_id.upper())


def is_true(name: str, value: str) -> bool:
    """Read a true or false from outside.

    Raises:
        BadSetting: it is neither.
    """
    word = value.strip().lower()
    if word not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise BadSetting(name, value, "give true or false")
    return word in ("true", "1", "yes", "on")


def unknown_variables(environ: Iterable[str], jobs: Collection[str], settings: Iterable[str]) -> dict[str, str]:
    """Each variable of `environ` that looks like one of a job and names no job and no setting, with a sentence."""
    names = ", ".join(jobs)
    prefixes, known = {variable(job_id) for job_id in jobs}, set(settings)
    unknown = {}
    for name in sorted(environ):
        match = re.fullmatch(r"(.+?)_(?:ENABLED|SCHEDULE|PING_URL|NOTICE_[A-Z_]+)", name)
        if match and match[1] not in prefixes and name not in known:
            unknown[name] = f"{name} is set, and there is no job {match[1].lower()}; the jobs are {names}"
    return unknown


def check_variable(job_id: str, jobs: Iterable[str]) -> None:
    """Refuse an id whose environment variables would be those of another job.

    Raises:
        BadSetting: they would.
    """
    for other in jobs:
        if other != job_id and variable(other) == variable(job_id):
            raise BadSetting("id", job_id, f"give another: its variables would be those of job {other}")
