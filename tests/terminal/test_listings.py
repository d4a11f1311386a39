"""What the listing verbs tell, as plain rows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import URL, Connection, update

from janitor.jobs import Job
from janitor.runs import Outcome
from janitor.state import State, actions, job_records, log_lines, quarantine, result_records, run_records
from janitor.state.log_lines import LogLine
from janitor.state.quarantine import Quarantined
from janitor.state.run_records import Ending
from janitor.state.tables import runs
from janitor.terminal import console, listings
from tests.small_engine import job_of, migrated, nothing
from tests.state.history import MINUTE, NOW


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A transaction on an empty state database."""
    state: State = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    with state.begin() as made:
        yield made
    state.close()


def ran(connection: Connection, job: str, minute: int, outcome: Outcome = Outcome.SUCCEEDED) -> int:
    """A run that began in this minute, and ended a minute later; its id."""
    began = NOW + minute * MINUTE
    run_id = run_records.start(connection, job, "by_hand", None, began, False, "host|1|2|34|x")
    ending = Ending(outcome, "no rows" if outcome is Outcome.FAILED else None, began + MINUTE, 60.0, {"rows": 3})
    run_records.finish(connection, run_id, ending)
    return run_id


def notes(connection: Connection, *jobs: Job) -> list[str]:
    """What a listing of these jobs says for people."""
    return [row["note"] for row in listings.of_jobs(connection, jobs, NOW)]


def test_a_job_that_will_not_run_says_why(connection: Connection) -> None:
    job_records.pause(connection, "paused", "every 1h", NOW, "anna")
    off = job_of(nothing, id="off", disabled_because="OFF_ENABLED=false")
    assert notes(connection, job_of(nothing, id="fine"), off, job_of(nothing, id="paused")) == [
        "",
        "disabled: OFF_ENABLED=false",
        "paused since 2026-07-01 12:00:00 by anna",
    ]
    rows = listings.of_jobs(connection, [job_of(nothing, id="fine"), off, job_of(nothing, id="paused")], NOW)
    assert [row["next_run_at"] is None for row in rows] == [False, True, True]


def test_a_job_tells_its_newest_run(connection: Connection) -> None:
    ran(connection, "copy", 0)
    last = ran(connection, "copy", 2, Outcome.FAILED)
    fresh, row = listings.of_jobs(connection, [job_of(nothing, id="new"), job_of(nothing, id="copy")], NOW)
    assert (row["last_run"], row["last_outcome"], row["last_reason"]) == (last, "failed", "no rows")
    assert row["last_at"] == NOW + 3 * MINUTE
    assert (fresh["last_run"], fresh["last_outcome"], fresh["last_at"]) == (None, None, None)


def test_a_job_is_outdated_once_a_dependency_ran_again(connection: Connection) -> None:
    crawl, report = job_of(nothing, id="crawl"), job_of(nothing, id="report", dependencies=["crawl"])
    ran(connection, "report", 0)
    ran(connection, "crawl", 1)
    row = listings.of_jobs(connection, [crawl, report], NOW)[1]
    assert (row["status"], row["outdated_by"]) == ("outdated", ["crawl"])
    assert row["note"] == "outdated: crawl succeeded since"


def test_the_history_mixes_runs_and_actions_by_time(connection: Connection) -> None:
    first = ran(connection, "copy", 0)
    actions.record(connection, "anna", "paused", "copy", "", NOW + MINUTE)
    second = ran(connection, "copy", 2, Outcome.FAILED)
    actions.record(connection, "ben", "dropped", "other", "DN1: gone", NOW + 3 * MINUTE)
    found = listings.history(connection, None, 10)
    assert [(row["kind"], row["run"], row["outcome"], row["note"]) for row in found] == [
        ("action", None, None, "dropped by ben: DN1: gone"),
        ("run", second, "failed", "by hand · no rows"),
        ("action", None, None, "paused by anna"),
        ("run", first, "succeeded", "by hand"),
    ]
    assert [row["run"] for row in listings.history(connection, "copy", 2)] == [second, None]


def test_a_run_s_details_have_its_log_without_ids(connection: Connection) -> None:
    run_id = ran(connection, "copy", 0)
    log_lines.add(connection, [LogLine(run_id, NOW, "INFO", "copy", "began")])
    run_records.save_progress(connection, run_id, '{"": {"done": 3, "total": 4}}')
    row = listings.details(connection, run_id)
    assert row is not None
    assert (row["holder"], row["counts"], row["result"]) == ("process 34 on host", {"rows": 3}, None)
    assert row["progress"] == {"": {"done": 3, "total": 4}}
    (line,) = row["log"]
    assert line == {"at": NOW, "level": "INFO", "logger": "copy", "message": "began", "file": None, "line": None}
    assert listings.details(connection, run_id + 1) is None


def test_rows_in_quarantine_are_listed_by_key_and_reason(connection: Connection) -> None:
    rows = [Quarantined("DN1", "no user", "1"), Quarantined("DN1", "no user", "2"), Quarantined("DN2", "no place")]
    quarantine.put(connection, "copy", rows, NOW, 1)
    quarantine.drop(connection, "copy", "DN2", "anna", "gone", NOW + timedelta(days=1))
    assert [
        (row["job"], row["key"], row["items"], row["reason"]) for row in listings.of_quarantine(connection, (), {})
    ] == [("copy", "DN1", 2, "no user")]
    (dropped,) = listings.of_quarantine(connection, ["copy"], {}, dropped=True)
    assert (dropped["key"], dropped["dropped_by"], dropped["note"]) == ("DN2", "anna", "gone")


@pytest.mark.parametrize(
    "stored", ["{", "[1]", '{"a": NaN, "b": 1e999}', "9" * 5_000, '{"a": ' + "9" * 5_000 + "}", "null"]
)
def test_whatever_is_stored_of_a_run_is_listed(connection: Connection, stored: str) -> None:
    """Given texts of a run that another release, or a person, put into the state database.

    The run is listed and shown. Neither may fail, and JSON must have all of it.
    """
    run_id = ran(connection, "copy", 0)
    changed = {"counts": stored, "progress": stored}
    connection.execute(update(runs).where(runs.c.id == run_id).values(changed))
    result_records.add(connection, run_id, stored)
    (row,), details = listings.history(connection, "copy", 5), listings.details(connection, run_id)
    assert details is not None and orjson.dumps([row, details], default=str)
    assert list(console.run_lines(details))
