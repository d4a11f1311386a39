"""Jobs that build on one another, as a jobs file with all that the pages show, and the functions that it names."""

import logging
import os
import time
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from janitor.runs import PastRun, current_run

log = logging.getLogger("tests.builders")

SECRET = "s3cret-of-the-inbox"
HOSTILE = "<script>window.broken = true</script>"
JOBS = """
jobs:
  - id: crawl
    title: Crawl the garden
    notes: |
      Follows **every** link, and leaves [a note](https://example.org/note) & <script>window.broken = true</script>.

      | site | pages |
      |---|---|
      | garden | 5 |

      ![away](https://example.org/picture.png) [odd](javascript:alert(1))
    function: tests.web.builders:crawl
    args: [garden, "<script>window.broken = true</script>"]
    kwargs: {depth: 3}
    tags: [crawl, "odd & tag"]
    cleanup: tests.web.builders:clean
  - id: process
    title: Count the words
    function: tests.web.builders:process
    kwargs: {crawled: !result crawl, more: [7, !result crawl]}
    schedule: after
    dependencies: [crawl]
    tags: [words]
  - id: publish
    title: Publish the report
    function: tests.web.builders:publish
    args: [!result process]
    dependencies: [process]
    protect: true
    tags: [words]
  - id: large
    title: Return a megabyte
    function: tests.web.builders:large
  - id: walk
    title: Walk through two sites
    function: tests.web.builders:walk
    tags: [crawl]
  - id: fails
    function: tests.web.builders:fails
    dependencies: [crawl]
  - id: later
    title: ""
    function: builtins:print
    schedule: after
    dependencies: [fails, process]
"""


def crawl(site: str, hostile: str, depth: int) -> dict[str, Any]:
    """Return all that JSON does not have by itself, and what nobody may see or run."""
    log.warning("%s has a dead link", site)
    return {
        "site": site,
        "hostile": hostile,
        "day": date(2026, 3, 1),
        "price": Decimal("1.10"),
        "secret": os.environ.get("INBOX_PING_URL", ""),
        "odd": chr(0xD800),
        "depth": depth,
    }


def process(crawled: Mapping[str, Any], more: list[Any]) -> dict[str, int]:
    """Count words."""
    return {"words": len(crawled) + len(more)}


def publish(report: Mapping[str, int]) -> int:
    """Return a bare number."""
    return report["words"]


def large() -> list[dict[str, int]]:
    """Return nearly as much as is kept."""
    return [{"number": number} for number in range(50_000)]


def walk() -> None:
    """Report parts of parts, whose parents are their sums, until somebody has seen it."""
    run = current_run()
    for done in range(1, 5):
        run.progress(done, 10, "garden", "pages")
        run.progress(2 * done, 30, "garden", "words")
        run.progress(done, 5, "kitchen")
    while not Path(os.environ["SEEN"]).exists():
        run.check()
        time.sleep(0.05)


def fails() -> None:
    """Fail."""
    raise ValueError("no such thing")


def clean(run: PastRun) -> None:
    """Refuse while a file is there."""
    if Path(f"{os.environ['SEEN']}.stuck").exists():
        raise OSError(f"the pages of run {run.id} are locked")
