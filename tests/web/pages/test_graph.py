"""The page of the graph: all jobs that build on one another, or those with a tag."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.scheduler import Scheduler
from tests.small_engine import migrated
from tests.web.desks import served
from tests.web.visitor import Page, Visitor


def add_jobs(scheduler: Scheduler) -> None:
    """Two jobs that build on a third, and a job that stands alone."""
    scheduler.add_job(print, "interval", hours=1, id="crawl", tags=["sites"])
    scheduler.add_job(print, "interval", hours=1, id="count", dependencies=["crawl"], tags=["words"])
    scheduler.add_job(print, "interval", hours=1, id="report", dependencies=["crawl"], tags=["words"])
    scheduler.add_job(print, "interval", hours=1, id="alone", tags=["odd"])


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()
    with served(url, tmp_path, add_jobs) as (_, address):
        yield Visitor(address)


def picture(page: Page) -> str:
    """The beginning of the graph's element."""
    return next(part for part in page.text.split("<svg")[1:] if 'id="graph"' in part).partition(">")[0]


def test_the_graph_shows_jobs_that_build_on_others(visitor: Visitor) -> None:
    page = visitor.get("/graph")
    assert sorted(page.links("/jobs/")) == ["/jobs/count", "/jobs/crawl", "/jobs/report"]
    assert "3 not run" in page.words and "0 failed" in page.words
    assert page.link("words") == "/graph?tag=words" and page.link("odd") is None
    assert sorted(visitor.get("/graph?tag=words").links("/jobs/")) == ["/jobs/count", "/jobs/report"]


def test_a_tag_of_no_job_is_told(visitor: Visitor) -> None:
    page = visitor.get("/graph?tag=%3Cb%3E")
    assert "No job with the tag <b> depends on another." in page.words and "<b>" not in page.text
    assert page.links("/jobs/") == []


def test_the_whole_graph_is_one_link_away_and_back(visitor: Visitor) -> None:
    page = visitor.get("/graph?tag=words")
    assert page.link("All at once") == "/graph?tag=words&whole=true"
    whole = visitor.get("/graph?tag=words&whole=true")
    assert whole.link("In full size") == "/graph?tag=words"
    assert [" width=" in picture(found) for found in (page, whole)] == [True, False]
