"""Jobs files for tests, the functions that they name, and a clock that loads them."""

import json
import logging
import os
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from janitor.errors import Skip
from janitor.jobs_file.loading import Loaded, load
from janitor.jobs_file.mistakes import BadJobsFile
from janitor.runs import PastRun, current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings

HERE = "tests.jobs_file.files"
JOB = "jobs:\n  - id: a\n    function: FUNCTIONS:skips\n"
CRAWL = "jobs:\n  - id: a\n    function: FUNCTIONS:crawl\n"
REPORT = "jobs:\n  - id: a\n    function: FUNCTIONS:report\n"
"""The beginnings of jobs files with one job: its keys follow."""


def crawl(site: str, pages: int = 3) -> dict[str, Any]:
    """Return what JSON alone cannot hold: a date and a decimal."""
    return {"site": site, "pages": list(range(pages)), "day": date(2026, 3, 1), "price": Decimal("1.10")}


def process(crawled: dict[str, Any]) -> Iterator[dict[str, int]]:
    """Count two rows for each page, as a generator."""
    for number, _ in enumerate(crawled["pages"], 1):
        current_run().progress(number, len(crawled["pages"]), crawled["site"])
        yield {"rows": 2}


def report(*parts: Any, settings: Settings) -> list[Any]:
    """Return the arguments and a setting."""
    return [*parts, settings.lease_seconds]


def skips() -> None:
    """Find nothing."""
    raise Skip("nothing new")


def fails() -> None:
    """Fail."""
    raise ValueError("no such thing")


def slow(seconds: float) -> float:
    """Take some time, with a safe point every 20 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        current_run().sleep(0.02)
    return seconds


def tells(steps: int) -> None:
    """Log each step."""
    for step in range(steps):
        logging.info("step %d", step)
        current_run().sleep(0.1)


def clock(**environment: str) -> Scheduler:
    """Make a clock without jobs."""
    return Scheduler(Settings.load(environment, dotenv=None))


def write(folder: Path, text: str, name: str = "jobs.yaml") -> Path:
    """Write a file; FUNCTIONS in the text becomes the name of this module."""
    path = folder / name
    path.write_text(text.replace("FUNCTIONS", HERE), encoding="utf-8")
    return path


def loaded(folder: Path, text: str, **environment: str) -> Loaded:
    """Load a jobs file with this text."""
    return load(write(folder, text), clock(**environment))


def mistakes(folder: Path, text: str, **environment: str) -> list[str]:
    """Return the mistakes in a jobs file, a line for each."""
    try:
        loaded(folder, text, **environment)
    except BadJobsFile as exc:
        return [str(mistake) for mistake in exc.mistakes]
    return []


def clean(run: PastRun) -> None:
    """Write down which run was cleaned up, or refuse."""
    if os.environ["CLEANED"] == "no":
        raise OSError("told not to")
    told = {"id": run.id, "job": run.job, "outcome": run.outcome, "pages": run.result["pages"]}
    Path(os.environ["CLEANED"]).write_text(json.dumps(told), encoding="utf-8")
