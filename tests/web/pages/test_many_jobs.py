"""A large house: a page has a bounded size, however many jobs there are, run, fail and are told of."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, insert, update

from benchmarks.long_history import fill, job_names
from janitor.scheduler import Scheduler
from janitor.state import deliveries, notices
from janitor.state.tables import runs
from tests.small_engine import migrated
from tests.web.desks import served
from tests.web.visitor import Visitor

JOBS, RUNS, RUNNING, TOLD = 1_000, 20_000, 300, 40
LONG = "the table labware_location is missing at warehouse.lab.example:3306/mlwarehouse, and so are others. " * 5
MOST_BYTES = 100_000


def idle() -> None:
    """Do nothing."""


def add_jobs(scheduler: Scheduler) -> None:
    for name in job_names(JOBS):
        scheduler.add_job(idle, "interval", minutes=90, id=name)


def let_much_go_on(connection: Connection, now: datetime) -> None:
    """Half of the runs failed, each job for its own reason; 300 go on; 40 notices are open, which no channel took."""
    every_second = runs.c.id // JOBS % 2 == 0
    connection.execute(update(runs).where(every_second).values(outcome="failed", reason=runs.c.job + " " + LONG))
    # As many parts as a run may report, and notes as long as they may be.
    parts = {f"garden {number}/words": {"done": 2, "total": 5, "note": "n" * 300} for number in range(250)}
    going = {"job": "", "origin": "by_hand", "slots": 1, "started_at": now, "attempts": 1, "dry_run": False}
    going |= {"holder": "h", "progress": json.dumps(parts)}
    rows = [going | {"job": name} for name in job_names(RUNNING)]
    connection.execute(insert(runs), rows)
    for number, name in enumerate(job_names(TOLD), 1):
        notice = notices.begin(connection, "job_failing", name, LONG, None, now)
        deliveries.add(connection, notice, "email", deliveries.BEGAN, "{}", now)
        deliveries.close(connection, number, deliveries.GIVEN_UP, now, LONG)


@pytest.mark.slow
def test_the_overview_of_1_000_jobs_is_small(tmp_path: Path) -> None:
    # Given 1,000 jobs with 16 runs a day each, 300 of which run now, and more open notices than a page shows.
    # What happens: somebody opens the overview.
    # What must hold: it is below 100 kB, has the newest trouble, and says what it leaves out.
    url, now = URL.create("sqlite", database=str(tmp_path / "state.db")), datetime.now(UTC)
    state = migrated(url)
    fill(state, RUNS, JOBS, 0, rhythm_seconds=5400)
    with state.begin() as connection:
        let_much_go_on(connection, now)
    state.close()
    with served(url, tmp_path, add_jobs) as (_, address):
        page, read = Visitor(address).get("/"), Visitor(address).get("/api/overview")
    assert page.status == 200
    assert len(page.text.encode()) < MOST_BYTES
    assert page.text.count('class="lane"') == 20 and '20 of <a href="/jobs">1,000 jobs</a>' in page.text
    assert ">All that run</a>" in page.text
    assert f">All notices: {TOLD} are open</a>" in page.text
    overview = json.loads(read.text)
    assert len(read.text.encode()) < MOST_BYTES and overview["open_notices"] == TOLD
    assert (len(overview["notices"]), len(overview["undelivered"])) == (10, 10)
