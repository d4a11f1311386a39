"""The list of jobs."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.scheduler import Scheduler
from tests.small_engine import migrated, now, remember_run
from tests.web.api.served import Api
from tests.web.desks import served
from tests.web.visitor import Visitor


@pytest.mark.slow
def test_a_list_of_many_jobs_comes_in_pages(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()
    names = [f"job_{number}" for number in range(102)]

    def add_jobs(scheduler: Scheduler) -> None:
        for name in names:
            scheduler.add_job(print, "interval", hours=1, id=name, tags=["even"] if int(name[4:]) % 2 == 0 else ())

    with served(url, tmp_path, add_jobs) as (desk, address):
        for hours in range(12):
            remember_run(desk.state, "job_0", now() - timedelta(hours=hours), "failed")
        visitor = Visitor(address)
        for start, expected in (("/jobs", names), ("/jobs?tag=even", names[::2])):
            path, seen = start, list[str]()
            while path:
                links = visitor.get(path).read.links
                seen += [link for link, _ in links if link.startswith("/jobs/") and "#" not in link]
                before, path = (
                    next((link for link, said in links if said == words), "") for words in ("Before", "More")
                )
            assert seen == [f"/jobs/{name}" for name in expected]
            assert before == (f"{start}?offset=50" if start == "/jobs" else start)
        assert "failing, 10 or more in a row" in visitor.get("/jobs").words
        assert visitor.get("/jobs?offset=5000").status == 200
        lists = [Api(address, "")(f"/jobs{query}")[1] for query in ("", "?offset=50&limit=500", "?offset=102")]
        assert {found["count"] for found in lists} == {102} and lists[2]["jobs"] == []
        assert [job["id"] for found in lists for job in found["jobs"]] == names
