"""Environment variables of jobs: how their names begin, and which name no job."""

import difflib
import functools
import re
from collections.abc import Collection, Iterable

from janitor.errors import BadSetting
from janitor.runs.bounds import listed_near
from janitor.settings.truth import truth

LIKE_ENDING = 0.8
OF_JOBS = ("ENABLED", "SCHEDULE", "PING_URL")
LIKE = 0.86
"""How like two names must be to be taken for each other: LOG_LEVL and LOG_LEVEL are by 0.94."""


# Each new job is compared with all others: with a thousand jobs that is half a million times.
@functools.lru_cache(maxsize=65_536)
def variable(job_id: str) -> str:
    """How the names of a job's environment variables begin: `NIGHTLY_REPORT` for the job `nightly-report`."""
    return re.sub(r"[^A-Z0-9]+", "_", job_id.upper())


def is_true(name: str, value: str) -> bool:
    """Read true or false from a text that came from outside.

    Raises:
        BadSetting: the text says neither.
    """
    if (found := truth(value)) is None:
        raise BadSetting(name, value, "give true or false")
    return found


def unknown_variables(environ: Iterable[str], jobs: Collection[str], settings: Iterable[str]) -> dict[str, str]:
    """Variables of `environ` that look like a job's or like a setting, and are neither; each with a sentence."""
    prefixes, known = {variable(job_id) for job_id in jobs}, set(settings)
    readable = known | {f"{name}_FILE" for name in known if not name.endswith("_FILE")}
    unknown = {}
    for name in sorted(environ):
        match = re.fullmatch(r"(.+?)_(?:ENABLED|SCHEDULE|PING_URL|NOTICE_[A-Z_]+)(?:_FILE)?", name)
        if name in readable or (match and match[1] in prefixes):
            continue
        if (switch := _switch_meant(name, prefixes)) is not None:
            unknown[name] = f"{name} is set, and it is no variable of a job; did you mean {switch}?"
        elif (meant := _meant(name, readable)) is not None:
            unknown[name] = f"{name} is set, and there is no such setting; did you mean {meant}?"
        elif match and not name.endswith("_FILE"):
            sought = match[1].lower()
            unknown[name] = f"{name} is set, and there is no job {sought}; the jobs are {listed_near(sought, jobs)}"
    return unknown


def _switch_meant(name: str, prefixes: Iterable[str]) -> str | None:
    """The variable of a job that is meant by a name, such as SYNC_SCHEDUL; None if it is like none."""
    for prefix in prefixes:
        if name.startswith(f"{prefix}_"):
            close = difflib.get_close_matches(name.removeprefix(f"{prefix}_"), OF_JOBS, 1, LIKE_ENDING)
            if close:
                return f"{prefix}_{close[0]}"
    return None


def _meant(name: str, known: Collection[str]) -> str | None:
    """The known variable that is most like a name; None if none is like it."""
    if name.upper() in known:
        return name.upper()
    if "_" not in name:  # such as MAILTO, which is cron's
        return None
    # That both end so says nothing: ARCHIVE_OF_LAB_DATABASE_URL is another database than LAB_DATABASE_URL.
    ending = "_DATABASE_URL" if name.endswith("_DATABASE_URL") else ""
    short = {one.removesuffix(ending): one for one in known if one.endswith(ending)}
    close = difflib.get_close_matches(name.removesuffix(ending), short, 1, LIKE)
    return short[close[0]] if close else None


def check_variable(
    job_id: str, jobs: Iterable[str], settings: Iterable[str] = (), of_house: Iterable[str] = ()
) -> None:
    """Refuse a job id whose environment variables would have the names of another job's, or of settings.

    `settings` are the variables of all settings. `of_house` are those whose beginnings no job may have.

    Raises:
        BadSetting: another job's variables begin with the same name, or a setting does.
    """
    own = variable(job_id)
    for other in jobs:
        if other != job_id and variable(other) == own:
            raise BadSetting("id", job_id, f"give another id: its variables would be those of job {other}")
    taken = [name for name in of_house if name.startswith(f"{own}_")]
    taken += [name for name in settings if name in (f"{own}_ENABLED", f"{own}_SCHEDULE", f"{own}_PING_URL")]
    if taken:
        raise BadSetting("id", job_id, f"give another id: its variables would begin as the setting {taken[0]} does")
