"""Health: does the clock tick, is the daemon ready, is a job overdue."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.engine.stages import Slot
from janitor.scheduler import Scheduler
from janitor.state.run_records import BY_HAND
from janitor.web.desk import Desk
from janitor.web.metrics import vitals
from tests.command_line import CommandLine, wait_for
from tests.small_engine import empty_state, eventually, remember
from tests.web.desks import ask, served


def add_jobs(scheduler: Scheduler) -> None:
    """One that is due each minute, and one that is off."""
    scheduler.add_job(dict, "interval", minutes=1, id="minutely")
    scheduler.add_job(dict, "interval", minutes=1, id="off", enabled=False)


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    return empty_state(request, tmp_path)


@pytest.fixture
def house(url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Desk, str]]:
    monkeypatch.setattr(vitals, "KEEP_SECONDS", 0.05)
    monkeypatch.setattr(vitals, "WRITE_KEEP_SECONDS", 0.05)
    with served(url, tmp_path, add_jobs) as found:
        yield found


def health(address: str, what: str) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of one of the questions."""
    answer = ask(f"{address}/health/{what}")
    return answer.status, json.loads(answer.text)


def test_it_is_alive_while_the_clock_ticks(house: tuple[Desk, str]) -> None:
    desk, address = house
    assert health(address, "live") == (503, {"status": "the clock does not tick", "silent_seconds": None})
    desk.daemon.heartbeat.beat()
    status, found = health(address, "live")
    assert (status, found["status"]) == (200, "alive") and 0 <= found["silent_seconds"] < 30
    alive = ask(f"{address}/health/live", "HEAD")
    assert (alive.status, alive.text) == (200, "")
    desk.daemon.heartbeat.beat(time.monotonic() - 31)
    status, found = health(address, "live")
    assert status == 503 and found["silent_seconds"] >= 31


def in_trouble(desk: Desk, name: str = "the copier") -> None:
    """Let a part of the daemon fail again and again."""

    def fail() -> None:
        raise ValueError("the pipe is blocked")

    duty = desk.runner.loops.duty(name, fail)
    for _ in range(4):
        duty.do()


def test_it_is_not_ready_while_a_part_fails_again_and_again(house: tuple[Desk, str]) -> None:
    desk, address = house
    assert health(address, "ready")[0] == 200
    in_trouble(desk)
    in_trouble(desk, "pings")
    assert health(address, "ready") == (
        503,
        {"status": "these fail again and again: the copier, pings", "role": "standing by"},
    )


def test_it_is_not_ready_while_something_keeps_it_from_leading(house: tuple[Desk, str]) -> None:
    # Given: a daemon. What happens: its look at who leads fails, once and again, and then goes well.
    # What must hold: it is not ready, and the overview tells why; one failure alone changes nothing.
    desk, address = house
    obstacles = desk.runner.obstacles
    obstacles.meet("coming to lead", "a statement ran over its time limit")
    assert health(address, "ready")[0] == 200
    obstacles.meet("coming to lead", "a statement ran over its time limit")
    status, told = health(address, "ready")
    assert (status, told["status"]) == (503, "these fail again and again: coming to lead")
    page = ask(address).text
    assert "coming to lead" in page and "a statement ran over its time limit" in page
    assert "coming to lead" in ask(f"{address}/api/overview").text
    obstacles.overcome("coming to lead")
    assert health(address, "ready")[0] == 200


def test_what_is_noted_leaves_it_ready(house: tuple[Desk, str]) -> None:
    desk, address = house
    desk.runner.loops.note("the clock of this host", "it is 300 s behind")
    assert health(address, "ready")[0] == 200
    in_trouble(desk)
    assert health(address, "ready")[1]["status"] == "these fail again and again: the copier"


def test_who_is_nobody_sees_no_job(url: URL, tmp_path: Path) -> None:
    token = "a-token-that-is-long-enough"
    with served(url, tmp_path, add_jobs, WEB_VIEWER_TOKEN=token) as (_, address):
        for path in ("health/jobs", "metrics"):
            assert ask(f"{address}/{path}").status == 401
            assert ask(f"{address}/{path}", Authorization="Bearer another-token-that-is-long").status == 401
            assert ask(f"{address}/{path}", Authorization=f"Bearer {token}").status == 200
        assert (health(address, "live")[0], health(address, "ready")[0]) == (503, 200)


def test_a_job_that_is_overdue_is_a_503(house: tuple[Desk, str]) -> None:
    desk, address = house
    status, found = health(address, "jobs")
    assert (status, found["status"]) == (200, "no job is overdue")
    assert not found["jobs"]["off"]["enabled"] and found["jobs"]["minutely"]["last_success_at"] is None
    since = datetime.now(timezone.utc) - timedelta(minutes=9)
    remember(desk.state, "minutely", since)
    remember(desk.state, "off", since)
    status, found = eventually(lambda: (answer := health(address, "jobs"))[0] == 503 and answer)
    assert found["status"] == "overdue: minutely"
    at = datetime.fromisoformat(found["jobs"]["minutely"]["overdue_since"])
    assert timedelta(minutes=1) < at - since <= timedelta(minutes=2, seconds=5)
    assert desk.runner.execute(desk.jobs["minutely"], Slot(None, BY_HAND)) is not None
    status, found = eventually(lambda: (answer := health(address, "jobs"))[0] == 200 and answer)
    assert found["jobs"]["minutely"]["last_outcome"] == "succeeded"


def test_what_is_not_known_now_is_a_503(house: tuple[Desk, str]) -> None:
    # Given: a daemon that has told of its jobs. What happens: its state database goes away, and is back.
    # What must hold: meanwhile nobody takes what was known for what holds now.
    desk, address = house
    assert health(address, "jobs")[0] == 200
    desk.state.stop("it is away")
    status, found = eventually(lambda: (answer := health(address, "jobs"))[0] == 503 and answer)
    assert found == {"status": "not known: it is away", "jobs": {}}
    desk.state.stop("")
    assert eventually(lambda: health(address, "jobs")[0] == 200)


@pytest.mark.slow
def test_a_daemon_tells_of_its_health(tmp_path: Path) -> None:
    web = {"WEB_ENABLED": "true", "WEB_PORT": "0", "LOG_FORMAT": "json"}
    house = CommandLine(tmp_path, ("-m", "tests.small_house"), web)
    with house.started("start") as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout if line.strip())
        address = next(line["event"].split()[-1] for line in lines if "dashboard is at" in line["event"])
        assert wait_for(lambda: health(address, "live")[0] == 200)
        assert wait_for(lambda: health(address, "ready") == (200, {"status": "ready", "role": "leading"}))
        assert wait_for(lambda: health(address, "jobs")[1]["jobs"]["count"]["last_outcome"] == "succeeded")
        metrics = ask(f"{address}/metrics").text
        assert "janitor_leading 1.0" in metrics and "janitor_clock_heartbeat_timestamp_seconds" in metrics
        ended = house.stopped(process)
    assert ended.code == 0, ended.err
