"""Environment variables of jobs: how their names begin, and which name no job."""

import re
from collections.abc import Collection, Iterable

from janitor.errors import BadSetting


def variable(job_id: str) -> str:
    """How the names of a job's environment variables begin: `NIGHTLY_REPORT` for the job `nightly-report`."""
    return re.sub(r"[^A-Z0-9]+", "_", job_id.upper())


def is_true(name: str, value: str) -> bool:
    """Read true or false from a text that came from outside.

    Raises:
        BadSetting: the text says neither.
    """
    word = value.strip().lower()
    if word not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise BadSetting(name, value, "give true or false")
    return word in ("true", "1", "yes", "on")


def unknown_variables(environ: Iterable[str], jobs: Collection[str], settings: Iterable[str]) -> dict[str, str]:
    """Variables of `environ` that look like a job's but name no job and no setting, each with a sentence."""
    names = ", ".join(jobs)
    prefixes, known = {variable(job_id) for job_id in jobs}, set(settings)
    unknown = {}
    for name in sorted(environ):
        match = re.fullmatch(r"(.+?)_(?:ENABLED|SCHEDULE|PING_URL|NOTICE_[A-Z_]+)", name)
        if match and match[1] not in prefixes and name not in known:
            unknown[name] = f"{name} is set, and there is no job {match[1].lower()}; the jobs are {names}"
    return unknown


def check_variable(job_id: str, jobs: Iterable[str]) -> None:
    """Refuse a job id whose environment variables would have the names of another job's.

    Raises:
        BadSetting: another job's variables begin with the same name.
    """
    for other in jobs:
        if other != job_id and variable(other) == variable(job_id):
            raise BadSetting("id", job_id, f"give another id: its variables would be those of job {other}")
