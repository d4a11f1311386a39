"""Sentry: failures arrive at a server that takes envelopes, and no run waits for it."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor import __version__
from janitor.engine.runner import Runner
from janitor.errors import BadSetting, Unavailable
from janitor.notices import sentry
from janitor.runs import Outcome, current_run
from janitor.state.slot_records import LostSlots
from tests.command_line import CommandLine
from tests.small_engine import empty_state, now, run_by_hand, runner_for, settings_for

PASSWORD = "correct-horse"


class Project:
    """Give a server that takes envelopes as Sentry does, and keeps the events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answers = threading.Event()
        self.answers.set()
        project = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one envelope."""

            def do_POST(self) -> None:
                """Keep its event."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                project.answers.wait(30)
                lines = body.splitlines()
                project.events += [json.loads(line) for line in lines[2::2]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.dsn = f"http://publickey@127.0.0.1:{self._server.server_port}/42"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def project() -> Iterator[Project]:
    made = Project()
    yield made
    made.close()


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    return empty_state(request, tmp_path)


@contextmanager
def reporting_to(dsn: str, url: URL, folder: Path) -> Iterator[Runner]:
    """Give a runner; its failures are reported."""
    broker = {"RABBITMQ_PASSWORD": PASSWORD, "SENTRY_ENVIRONMENT": "rehearsal"}
    settings = settings_for(url, folder, SENTRY_DSN=dsn, **broker)
    with runner_for(settings) as runner, sentry.reporting(runner):
        yield runner


def fail() -> None:
    """Fail for a cause, with a secret in a text and in a variable."""
    hidden = PASSWORD
    try:
        int("x")
    except ValueError as exc:
        raise Unavailable(f"the broker says no to {hidden}\n    and that is all") from exc


def mistake() -> None:
    """Fail like code with a mistake, with a secret in the text."""
    raise ValueError(f"it is not {PASSWORD}")


def overrun() -> None:
    """Run until the timeout."""
    while True:
        current_run().sleep(0.01)


def test_a_failed_run_is_one_event(project: Project, url: URL, tmp_path: Path) -> None:
    with reporting_to(project.dsn, url, tmp_path) as runner:
        run_by_hand(runner, dict, id="fine")
        run_id, ending = run_by_hand(runner, fail, id="nightly", retries=1)
    (event,) = project.events
    assert event["tags"] == {"job": "nightly", "run_id": str(run_id), "outcome": "failed"}
    assert (event["release"], event["environment"]) == (f"janitor@{__version__}", "rehearsal")
    assert event["message"] == f"nightly failed: {ending.reason}" and event["level"] == "error"
    assert event["extra"]["attempts"] == 2 and event["fingerprint"] == ["{{ default }}", "nightly"]
    cause, error = event["exception"]["values"]
    assert (cause["type"], cause["value"]) == ("ValueError", "invalid literal for int() with base 10: 'x'")
    assert (error["module"], error["type"]) == ("janitor.errors", "Unavailable")
    assert error["value"] == "the broker says no to ***\n    and that is all"
    frame = error["stacktrace"]["frames"][-1]
    assert frame["function"] == "fail" and frame["filename"] == __file__
    assert "raise Unavailable" in frame["context_line"] and len(frame["pre_context"]) == 2
    assert PASSWORD not in json.dumps(project.events)


def test_a_child_s_failure_comes_with_its_frames(project: Project, url: URL, tmp_path: Path) -> None:
    with reporting_to(project.dsn, url, tmp_path) as runner:
        run_by_hand(runner, mistake, isolation="process")
    (event,) = project.events
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "it is not ***")
    assert error["stacktrace"]["frames"][-1]["function"] == "mistake"
    assert PASSWORD not in json.dumps(project.events)


def test_timeouts_and_lost_slots_are_reported(project: Project, url: URL, tmp_path: Path) -> None:
    with reporting_to(project.dsn, url, tmp_path) as runner:
        run_by_hand(runner, overrun, id="slow", timeout=0.1)
        for outcome in (Outcome.FAILED, Outcome.MISSED):
            runner.lost(LostSlots("nightly", now(), now(), 1, outcome, f"not recorded: {PASSWORD}"))
    assert [(event["tags"]["job"], event["tags"]["outcome"]) for event in project.events] == [
        ("slow", "timed_out"),
        ("nightly", "failed"),
    ]
    assert project.events[1]["message"] == "nightly failed: not recorded: ***"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silent", "gone"])
def test_no_run_waits_for_sentry(kind: str, url: URL, tmp_path: Path, project: Project) -> None:
    project.answers.clear()
    if kind == "gone":
        project.close()
    with reporting_to(project.dsn, url, tmp_path) as runner:
        began = time.monotonic()
        endings = [run_by_hand(runner, fail)[1] for _ in range(150)]
        assert time.monotonic() - began < 25  # one answer takes the silent server 30 s
        assert all(ending.outcome is Outcome.FAILED for ending in endings)
    assert len(project.events) <= 1


@pytest.mark.parametrize("dsn", ["nonsense", "https://sentry.example.com/1", "https://key@sentry.example.com/x"])
def test_a_malformed_dsn_is_refused(dsn: str, url: URL, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="SENTRY_DSN.*https://key@sentry.example.com/42"):
        with reporting_to(dsn, url, tmp_path):
            pass


def test_without_the_package_the_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sentry_sdk.py").write_text("raise ImportError('it is not there')")
    house = CommandLine(tmp_path, ("-m", "tests.small_house"))
    path = {"PYTHONPATH": f"{tmp_path}:{house.whole({})['PYTHONPATH']}"}
    ended = house("start", SENTRY_DSN="https://secret-key@sentry.example.com/1", **path)
    assert ended.code == 2
    assert ended.err == (
        "janitor: SENTRY_DSN is '(not shown)': it needs sentry-sdk, which is not installed: "
        "pip install sentry-sdk, or leave it empty\n"
    )
