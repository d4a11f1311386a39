"""The door: probes are answered whatever the server does, and all others get to the server."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from janitor.loops import Loops
from janitor.web.serving import door
from janitor.web.serving.door import Door
from tests.small_engine import ROOT, eventually

LIVE = b"GET /health/live HTTP/1.1\r\nHost: ours\r\n\r\n"
READY = b"GET /health/ready HTTP/1.1\r\nUser-Agent: x\r\nhost: ours\r\n\r\n"


@dataclass
class Hall:
    """A door, whoever it let through, and what holds the answers to `ready` up."""

    address: tuple[str, int]
    let_go: threading.Event = field(default_factory=threading.Event)
    visitors: list[socket.socket] = field(default_factory=list)

    def connect(self, request: bytes = b"") -> socket.socket:
        """A connection that has asked for something."""
        made = socket.create_connection(self.address, timeout=30)
        made.sendall(request)
        return made

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """The head and the body of an answer, after which the connection is closed."""
        with self.connect(request) as made, made.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
        return head, body


@pytest.fixture
def hall() -> Iterator[Hall]:
    """A door that lives, whose `ready` waits until it is let go."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = Hall(listener.getsockname())

    def ready() -> tuple[int, dict[str, str]]:
        made.let_go.wait(30)
        return 503, {"status": "away"}

    at_once, later = {"/health/live": lambda: (200, {"status": "alive"})}, {"/health/ready": ready}
    opened = Door(listener, Loops(), at_once, later, lambda host: host == "ours", made.visitors.append)
    opened.start()
    yield made
    made.let_go.set()
    opened.stop(30)
    for visitor in made.visitors:
        visitor.close()


def test_a_probe_is_answered_with_all_headers(hall: Hall) -> None:
    hall.let_go.set()
    head, body = hall.ask(LIVE)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and json.loads(body) == {"status": "alive"}
    for line in (b"Content-Length: %d" % len(body), b"Cache-Control: no-store", b"Content-Security-Policy: default"):
        assert line in head
    head, body = hall.ask(READY)
    assert head.startswith(b"HTTP/1.1 503 ") and json.loads(body) == {"status": "away"}
    head, body = hall.ask(LIVE.replace(b"GET", b"HEAD"))
    assert b"Content-Length: 18" in head and body == b""
    assert hall.visitors == []


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: ours\r\n\r\n",
        b"GET /health/jobs HTTP/1.1\r\nHost: ours\r\n\r\n",
        b"GET /health/livex HTTP/1.1\r\nHost: ours\r\n\r\n",
        b"POST /health/live HTTP/1.1\r\nHost: ours\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: theirs\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: ours\r\nContent-Length: 1\r\n\r\nx",
        b"GET /health/live HTTP/1.1\r\nHost: ours\r\ncontent-length: 0\r\n\r\n",
        LIVE + LIVE,
        LIVE[:20],
        LIVE[:-2],
        b"\x16\x03\x01",
    ],
)
def test_all_else_goes_to_the_server_untouched(hall: Hall, request_: bytes) -> None:
    with hall.connect(request_):
        (visitor,) = eventually(lambda: hall.visitors)
        visitor.settimeout(30)
        assert visitor.recv(1000) == request_


def test_a_probe_that_waits_holds_no_other_up(hall: Hall) -> None:
    # Given: as many questions as may wait for the state database. What happens: it hangs.
    # What must hold: the clock's life is told; one more who asks whether it is ready is told at once, too.
    waiting = [hall.connect(READY) for _ in range(8)]
    eventually(lambda: sum(thread.name == "probe" for thread in threading.enumerate()) == 8)
    assert hall.ask(LIVE)[0].startswith(b"HTTP/1.1 200")
    assert json.loads(hall.ask(READY)[1]) == {"status": "too many ask at once"}
    hall.let_go.set()
    for one in waiting:
        assert one.recv(12) == b"HTTP/1.1 503"
        one.close()
    eventually(lambda: json.loads(hall.ask(READY)[1]) == {"status": "away"})


def test_whoever_asks_for_nothing_gives_way(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_WAITING", 3)
    silent = [hall.connect() for _ in range(5)]
    assert [one.recv(1) for one in silent[:2]] == [b"", b""]
    assert hall.ask(LIVE)[0].startswith(b"HTTP/1.1 200")
    silent[4].sendall(LIVE)
    assert silent[4].recv(12) == b"HTTP/1.1 200"
    for one in silent:
        one.close()


def test_whoever_asks_for_nothing_for_long_is_turned_away(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUEST_SECONDS", 0.1)
    with hall.connect() as silent:
        assert silent.recv(1) == b""


PROBED = """
import sys, tempfile
from pathlib import Path
from sqlalchemy import URL
from tests.web.desks import ask, served

with tempfile.TemporaryDirectory() as folder:
    url = URL.create("sqlite", database=folder + "/state.db")
    with served(url, Path(folder), lambda scheduler: None) as (desk, address):
        desk.daemon.heartbeat.beat()
        paths = [f"{address}/health/{what}" for what in ("live", "ready")]
        told = [ask(path, method).status for path in paths for method in ("GET", "HEAD")]
    print(*told, *sorted({"fastapi", "starlette", "uvicorn", "jinja2"} & set(sys.modules)))
"""


def test_probes_need_no_server() -> None:
    # Given: a daemon that nobody has visited. What happens: probes ask, for the first time.
    # What must hold: they are answered, and neither the framework nor the templates are loaded for them.
    done = subprocess.run([sys.executable, "-c", PROBED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["200"] * 4
