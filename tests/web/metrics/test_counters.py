"""Counters: from 0 on, counted as runs end."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from janitor.engine.stages import Slot
from janitor.engine.takeover import Takeover
from janitor.runs import Outcome
from janitor.state import job_records
from janitor.state.run_records import BY_HAND
from janitor.state.slot_records import LostSlots
from janitor.web.desk import Desk
from tests.small_engine import remember_run
from tests.web.metrics.scraping import OPENMETRICS, of, run, scraped


def test_every_counter_begins_at_zero(house: tuple[Desk, str]) -> None:
    samples = scraped(house[1])
    for job in ("follow", "reconcile", "fail", "decline"):
        for outcome in Outcome:
            assert samples["janitor_runs_total", job, outcome] == 0
        assert samples["janitor_rows_total", job, "inserted"] == 0
        assert samples["janitor_run_duration_seconds_count", job] == 0
        assert samples["janitor_start_delay_seconds_count", job] == 0
    assert samples["janitor_published_total", "follow", "published"] == 0
    assert ("janitor_published_total", "fail", "published") not in samples


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_runs_rows_and_messages_are_counted(house: tuple[Desk, str], accept: str) -> None:
    desk, address = house
    slot_at = datetime.now(timezone.utc)
    for _ in range(3):
        run(desk, "follow")
    run(desk, "follow", slot_at)
    run(desk, "follow", slot_at - timedelta(hours=9))
    run(desk, "follow", dry_run=True)
    run(desk, "fail")
    run(desk, "decline")
    desk.runner.lost(LostSlots("fail", slot_at - timedelta(hours=7), slot_at, 7, Outcome.MISSED, "no daemon ran"))
    samples = scraped(address, accept)
    outcomes = {key[1:]: value for key, value in samples.items() if key[0] == "janitor_runs_total" and value}
    assert outcomes == {
        ("follow", "succeeded"): 5,
        ("fail", "failed"): 1,
        ("fail", "missed"): 7,
        ("decline", "skipped"): 1,
    }
    rows = {key[2]: value for key, value in samples.items() if key[:2] == ("janitor_rows_total", "follow")}
    assert rows == {"inserted": 25, "moved": 10, "updated": 0, "deleted": 0}
    assert samples["janitor_published_total", "follow", "published"] == 15
    assert samples["janitor_published_total", "follow", "already_published"] == 20
    assert samples["janitor_run_duration_seconds_count", "follow"] == 5
    assert 0 < samples["janitor_run_duration_seconds_sum", "follow"] < 60
    assert samples["janitor_start_delay_seconds_count", "follow"] == 1
    assert samples["janitor_start_delay_seconds_bucket", "follow", "+Inf"] == 1


def test_a_paused_job_s_slot_is_counted_as_skipped(house: tuple[Desk, str]) -> None:
    desk, address = house
    with desk.state.begin() as connection:
        job_records.pause(connection, "follow", "every 5m", datetime.now(timezone.utc), "anna")
    assert desk.runner.execute(desk.jobs["follow"], Slot(datetime.now(timezone.utc))) is None
    samples = scraped(address)
    assert samples["janitor_runs_total", "follow", "skipped"] == 1
    assert of(samples, "janitor_paused") == {"follow": 1, "reconcile": 0, "fail": 0, "decline": 0}
    assert set(of(samples, "janitor_next_run_timestamp_seconds")) == {"reconcile", "fail"}


def test_a_run_that_a_dead_process_left_is_counted(house: tuple[Desk, str]) -> None:
    desk, address = house
    remember_run(desk.state, "fail", datetime.now(timezone.utc), None)
    Takeover(desk.runner.state, desk.runner.leadership).step()
    assert scraped(address)["janitor_runs_total", "fail", "interrupted"] == 1


def test_whatever_a_task_counts_by_spoils_no_scrape(house: tuple[Desk, str], caplog: pytest.LogCaptureFixture) -> None:
    # What is no text cannot be part of a report.
    caplog.set_level(logging.CRITICAL)
    desk, address = house
    odd = {"half \ud800": 1, 'quote"\n': 2, "huge": 2**2000, "below": -1, "true": True} | {
        f"n{i}": 1 for i in range(90)
    }
    run_of = replace(desk.jobs["fail"], func=lambda: odd)
    for _ in range(2):
        assert desk.runner.execute(run_of, Slot(None, BY_HAND)) is not None
    for accept in ("", OPENMETRICS):
        samples = scraped(address, accept)
        rows = {key[2]: value for key, value in samples.items() if key[:2] == ("janitor_rows_total", "fail")}
        assert rows['quote"\n'] == 4 and rows["n1"] == 2 and rows["other"] > 80
        assert len(rows) == 41 and not {"huge", "below", "true"} & set(rows)
