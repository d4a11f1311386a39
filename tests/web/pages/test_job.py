"""The page of a job."""

import json

from sqlalchemy import delete, func, insert, select

from janitor.state import cursors, job_records, memories, quarantine
from janitor.state.quarantine import Quarantined
from janitor.state.tables import cursors as cursors_table
from janitor.state.tables import jobs as job_table
from janitor.state.tables import quarantine as quarantine_table
from janitor.state.tables import runs
from tests.small_engine import now, remember_run
from tests.web.pages.furnished import House


def test_a_job_shows_all_that_is_known_of_it(made: House) -> None:
    words = made.operator.get("/jobs/labware_location").words
    for known in (
        "and writes those that differ.",
        "Every 5 minutes",
        "Duration",
        "Rows",
        "Read up to id",
        "its location has no barcode",
        "LABWARE_LOCATION_ENABLED",
    ):
        assert known in words, known
    assert "no daemon was running for 40 minutes" in made.operator.get("/jobs/labware_location?outcome=missed").words
    given_up = made.operator.get("/jobs/labware_location?dropped=true").words
    assert "Note: a test tube of 2019" in given_up and "by anna" in given_up


def test_whatever_is_stored_of_runs_every_page_shows_it(made: House) -> None:
    """Given runs whose counts and progress another release, or a person, stored.

    Every page that tells of them is asked for, in HTML and in JSON. Each must answer, and stay short.
    """
    odd = [
        "{",
        "[1]",
        '{"inserted": NaN, "updated": 1.7e308, "deleted": 1.7e308}',
        '{"a": ' + "9" * 5_000 + "}",
        "null",
    ]
    odd += [json.dumps({f"name{number}{'n' * 200}": "x" * 10_000 for number in range(500)})]
    with made.state.begin() as connection:
        newest = connection.execute(select(func.max(runs.c.id))).scalar_one()
        row = connection.execute(select(runs).where(runs.c.job == "labware_location").limit(1)).one()._mapping
        like = {
            **row,
            "outcome": "succeeded",
            "origin": "by_hand",
            "slot_at": None,
            "started_at": now(),
            "ended_at": now(),
        }
        for number, text in enumerate(odd, 1):
            changed = {"id": newest + number, "counts": text, "progress": text, "config": None}
            connection.execute(insert(runs).values(like | changed))
    try:
        own = [f"{kind}/runs/{newest + number}" for kind in ("", "/api") for number in range(1, len(odd) + 1)]
        pages = ("/", "/jobs", "/jobs/labware_location", "/history?job=labware_location", "/api/overview")
        for path in (*pages, "/api/jobs/labware_location", "/api/runs?job=labware_location", *own):
            page = made.operator.get(path)
            assert page.status == 200 and len(page.text) < 500_000, (path, page.status, len(page.text))
        assert made.operator.get("/metrics").status == 200
        assert "and 88 more" in made.operator.get("/history?job=labware_location").words
    finally:
        with made.state.begin() as connection:
            connection.execute(delete(runs).where(runs.c.id > newest))


def test_a_job_that_is_gone_has_a_page_of_what_is_kept(made: House) -> None:
    """Given a job that is gone, and is still paused: its run is on record, and its task has a cursor and a quarantine.

    Its page tells of these, and what can still be done can be done there; the run leads to it.
    """
    remember_run(made.state, "old_job", now(), reason="it had to")
    with made.state.begin() as connection:
        job_records.pause(connection, "old_job", "every 1h", now(), "berta")
        memories.remember(connection, "old_job", "old task")
        cursors.save(connection, "old task", "of its own kind", now(), 0)
        quarantine.put(connection, "old task", [Quarantined("DN77", "no user")], now(), 0)
    try:
        page = made.viewer.get("/jobs/old_job")
        for known in ("gone", "rename old_job NEW", "by berta", "Old task has a cursor", "DN77", "it had to"):
            assert known in page.words, known
        assert "Resume" not in page.words
        for kept in ("runs", "quarantine"):
            told = json.loads(made.viewer.get(f"/api/jobs/old_job/{kept}").text)
            assert len(told["runs" if kept == "runs" else "rows"]) == 1
        assert made.viewer.get("/api/jobs/old_job").status == 404
        assert "old_job" in made.viewer.get("/jobs").words.partition("Gone, with what is kept of them:")[2]
        assert "/jobs/old_job" in made.viewer.get(f"/runs/{made.run_of('old_job', 'succeeded')}").text
        page = made.operator.submit(made.operator.get("/jobs/old_job").form("/jobs/old_job/resume"))
        assert page.flash == "old_job is resumed" and page.path == "/jobs/old_job"
        drop = page.form("/jobs/old_job/quarantine/drop", key="DN77")
        assert made.operator.submit(drop, note="lost").flash == "DN77 is given up"
        assert made.operator.get("/jobs/old_jbo").status == 404
    finally:
        with made.state.begin() as connection:
            connection.execute(delete(runs).where(runs.c.job == "old_job"))
            connection.execute(delete(job_table).where(job_table.c.id == "old_job"))
            for table in (cursors_table, quarantine_table):
                connection.execute(delete(table).where(table.c.name == "old task"))
