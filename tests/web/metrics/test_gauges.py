"""Gauges: what holds at the moment of a scrape, with and without the state database."""

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.stages import Slot
from janitor.state import ledger
from janitor.state.run_records import BY_HAND
from janitor.state.shared_clock import SharedClock
from janitor.web.desk import Desk
from janitor.web.metrics import vitals
from tests.faults.small_disk import small_disk
from tests.small_engine import eventually, remember, remember_run
from tests.web.desks import add_jobs, ask, served
from tests.web.metrics.scraping import of, run, scraped


def test_gauges_tell_what_the_state_database_knows(house: tuple[Desk, str]) -> None:
    desk, address = house
    began = datetime.now(timezone.utc)
    remember(desk.state, "gone_from_run_py", began - timedelta(days=9))
    remember_run(desk.state, "gone_from_run_py", began - timedelta(days=9), ended_at=began, seconds=1.0)
    for job in desk.jobs:
        remember(desk.state, job, began - timedelta(hours=2, seconds=30))
    with desk.state.begin() as connection:
        ledger.enter(connection, "follow", {number.to_bytes(16): bytes(16) for number in range(1234)}, began)
    for job in ("follow", "reconcile", "fail"):
        run(desk, job)
    samples = scraped(address)
    assert samples["janitor_state_up",] == 1
    assert samples["janitor_quarantine_rows", "follow"] == 2 and samples["janitor_quarantine_rows", "fail"] == 0
    assert samples["janitor_cursor_id", "follow"] == 41
    assert of(samples, "janitor_reconcile_drift") == {"reconcile": 7}
    assert of(samples, "janitor_overdue") == {"follow": 0, "reconcile": 0, "fail": 1, "decline": 0}
    assert of(samples, "janitor_enabled") == {"follow": 1, "reconcile": 1, "fail": 1, "decline": 0}
    successes = of(samples, "janitor_last_success_timestamp_seconds")
    completions = of(samples, "janitor_last_completion_timestamp_seconds")
    assert set(successes) == {"follow", "reconcile"} and set(completions) == {"follow", "reconcile", "fail"}
    ended = datetime.now(timezone.utc).timestamp()
    assert all(began.timestamp() <= at <= ended for at in completions.values())
    assert of(samples, "janitor_cursor_lag_seconds")["follow"] <= ended - began.timestamp() + 1
    next_run = of(samples, "janitor_next_run_timestamp_seconds")
    assert next_run["follow"] % 300 == 0 and 0 < next_run["follow"] - began.timestamp() <= 301
    assert set(next_run) == {"follow", "reconcile", "fail"}
    assert eventually(lambda: of(scraped(address), "janitor_ledger_entries")) == {"follow": 1234}


def test_a_part_that_fails_again_and_again_is_told(house: tuple[Desk, str]) -> None:
    desk, address = house

    def fail() -> None:
        raise ValueError("the pipe is blocked")

    once, often = desk.runner.loops.duty("once", fail), desk.runner.loops.duty("often", fail)
    for duty in (once, often, often, often, often):
        duty.do()
    samples = scraped(address)
    assert samples["janitor_loop_failing", "once"] == 0 and samples["janitor_loop_failing", "often"] == 1
    assert samples["janitor_loop_failures_total", "once"] == 1 and samples["janitor_loop_failures_total", "often"] == 4
    assert samples["janitor_loop_failures_total", "live streams"] == 0


def test_how_far_the_host_s_clock_is_off_is_told(house: tuple[Desk, str]) -> None:
    desk, address = house
    assert scraped(address)[("janitor_clock_offset_seconds",)] == 0
    moment = datetime.now(timezone.utc)
    desk.state.clock = SharedClock(lambda connection: moment, lambda: moment - timedelta(seconds=90), lambda: 7.0)
    with desk.state.read() as connection:
        desk.state.now(connection)
    desk.daemon.heartbeat.beat(time.monotonic() - 20)
    samples = scraped(address)
    assert samples[("janitor_clock_offset_seconds",)] == -90
    ticked_at = samples[("janitor_clock_heartbeat_timestamp_seconds",)]
    assert moment.timestamp() - 60 < ticked_at <= moment.timestamp() - 20


def test_a_run_that_goes_on_is_told_at_once(house: tuple[Desk, str]) -> None:
    desk, address = house
    going, end = threading.Event(), threading.Event()

    def stay() -> None:
        going.set()
        end.wait(30)

    job = replace(desk.jobs["fail"], func=stay)
    thread = threading.Thread(target=desk.runner.execute, args=(job, Slot(None, BY_HAND)))
    thread.start()
    assert going.wait(30)
    while_it_runs = of(scraped(address), "janitor_running")
    end.set()
    thread.join(30)
    assert while_it_runs == {"follow": 0, "reconcile": 0, "fail": 1, "decline": 0}
    assert of(scraped(address), "janitor_running")["fail"] == 0


def test_without_its_state_a_scrape_tells_what_it_remembers(house: tuple[Desk, str], tmp_path: Path) -> None:
    desk, address = house
    run(desk, "follow")
    desk.state.close()
    path = tmp_path / "state.db"
    path.rename(tmp_path / "away.db")
    path.mkdir()
    samples = scraped(address)
    assert samples["janitor_state_up",] == 0
    assert samples["janitor_runs_total", "follow", "succeeded"] == 1
    assert ask(f"{address}/health/ready").status == 503
    path.rmdir()
    (tmp_path / "away.db").rename(path)
    eventually(lambda: scraped(address)["janitor_state_up",] == 1)
    assert eventually(lambda: ask(f"{address}/health/ready").status == 200)


def test_a_full_disk_under_the_state_database_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a state database on a small disk. What happens: the disk fills up, until somebody makes room.
    # What must hold: meanwhile the state database is not up, and the daemon not ready, though all can be read.
    monkeypatch.setattr(vitals, "KEEP_SECONDS", 0.05)
    monkeypatch.setattr(vitals, "WRITE_KEEP_SECONDS", 0.05)
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path, "4m"))
        url = URL.create("sqlite", database=str(disk.folder / "state.db"))
        _, address = stack.enter_context(served(url, tmp_path, add_jobs))
        assert scraped(address)["janitor_state_up",] == 1
        with pytest.raises(OSError, match="No space"), (disk.folder / "rest").open("wb") as rest:
            while True:
                rest.write(b"x" * 4096)
                rest.flush()
        eventually(lambda: scraped(address)["janitor_state_up",] == 0)
        told = eventually(lambda: (found := ask(f"{address}/health/ready")).status == 503 and found.text)
        assert json.loads(told)["status"] == "the state database takes no writes"
        disk.grow("16m")
        eventually(lambda: scraped(address)["janitor_state_up",] == 1)
        assert ask(f"{address}/health/ready").status == 200
