"""Metrics: counted as runs end, read back with the official parsers."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from janitor.engine.leader import Leader
from janitor.engine.stages import Slot
from janitor.errors import Unavailable
from janitor.runs import Outcome
from janitor.state import job_records, ledger
from janitor.state.run_records import BY_HAND
from janitor.state.slot_records import LostSlots
from janitor.web.desk import Desk
from janitor.web.metrics import vitals
from janitor.web.metrics.readings import Reading
from tests.small_engine import empty_state, eventually, remember, remember_run
from tests.web.desks import add_jobs, ask, served

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Samples = dict[tuple[str, ...], float]


@pytest.fixture(params=["sqlite"])
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Desk, str]]:
    monkeypatch.setattr(vitals, "KEEP_SECONDS", 0.05)
    with served(empty_state(request, tmp_path), tmp_path, add_jobs) as found:
        yield found


def scraped(address: str, accept: str = "") -> Samples:
    """The samples of a scrape: (name, label values in the order of their names) -> value."""
    answer = ask(f"{address}/metrics", **({"Accept": accept} if accept else {}))
    assert answer.status == 200
    parse = parse_openmetrics if accept else parse_prometheus
    samples = [sample for family in parse(answer.text) for sample in family.samples]
    found = {(one.name, *(one.labels[name] for name in sorted(one.labels))): one.value for one in samples}
    assert len(found) == len(samples)
    return found


def run(desk: Desk, job: str, slot_at: datetime | None = None, dry_run: bool = False) -> None:
    """Run a job now, to its end."""
    slot = Slot(None, BY_HAND) if slot_at is None else Slot(slot_at)
    assert desk.runner.execute(desk.jobs[job], slot, dry_run) is not None


def of(samples: Samples, name: str) -> dict[str, float]:
    """The values of one name by job."""
    return {key[1]: value for key, value in samples.items() if key[0] == name}


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
    Leader(desk.runner.state, desk.runner.leadership).step()
    assert scraped(address)["janitor_runs_total", "fail", "interrupted"] == 1


def test_gauges_tell_what_the_state_database_knows(house: tuple[Desk, str]) -> None:
    desk, address = house
    began = datetime.now(timezone.utc)
    remember(desk.state, "gone_from_run_py", began - timedelta(days=9))
    remember_run(desk.state, "gone_from_run_py", began - timedelta(days=9), ended_at=began, seconds=1.0)
    for job in desk.jobs:
        remember(desk.state, job, began - timedelta(hours=2, seconds=30))
    with desk.state.begin() as connection:
        ledger.add(connection, "follow", [number.to_bytes(16) for number in range(1234)], began)
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


def test_without_its_state_a_scrape_tells_what_is_in_memory(house: tuple[Desk, str], tmp_path: Path) -> None:
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


def test_the_answer_is_in_the_format_that_was_asked_for(house: tuple[Desk, str]) -> None:
    plain = ask(f"{house[1]}/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    other = ask(f"{house[1]}/metrics", Accept=OPENMETRICS)
    assert other.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert other.text.endswith("# EOF\n")


def test_nobody_waits_longer_for_a_reading_than_he_says() -> None:
    answers, asked = threading.Event(), []

    def hang() -> int:
        asked.append(1)
        answers.wait(30)
        return 7

    reading = Reading(hang, 60.0)
    began = time.monotonic()
    assert [reading.get(0.05).value for _ in range(3)] == [None] * 3
    assert reading.get(0.05).failure == "no answer within 0.05 s" and time.monotonic() - began < 20
    answers.set()
    answer = eventually(lambda: (found := reading.get(1.0)).failure is None and found)
    assert answer.value == 7 and len(asked) == 1


def test_a_slow_reading_takes_a_small_share_of_the_time() -> None:
    asked: list[float] = []

    def slow() -> int:
        asked.append(time.monotonic())
        time.sleep(0.05)
        return len(asked)

    reading = Reading(slow, 0.0, share=0.1)
    eventually(lambda: reading.get(1.0).value == 3)
    assert all(later - earlier >= 0.5 for earlier, later in zip(asked, asked[1:], strict=False))


def test_a_failure_keeps_the_last_value() -> None:
    found = iter([3])

    def fails_later() -> int:
        try:
            return next(found)
        except StopIteration:
            raise Unavailable("the state database is away") from None

    reading = Reading(fails_later, 0.0)
    assert reading.get(1.0).value == 3
    answer = eventually(lambda: (one := reading.get(1.0)).failure is not None and one)
    assert (answer.value, answer.failure) == (3, "the state database is away")
