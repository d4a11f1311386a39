"""The web server beside the clock: where it listens, how it starts and stops, and that the clock does not mind it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.settings import Settings
from janitor.settings.passwords import Argon2
from janitor.web.serving import door, server, uvicorn_private
from janitor.web.serving.visits import Visits
from tests.command_line import CommandLine
from tests.daemons import Daemon, daemons
from tests.small_engine import DATABASES, ROOT, empty_state, eventually, migrated, outcomes
from tests.web.caller import Caller, watching
from tests.web.desks import served

HASH = str(Argon2(7168, 5, 1, b"salt" * 4, b"d" * 32))
SLOW = """
import importlib, pathlib, sys, time
here = pathlib.Path(__file__).parent
(here / "begun").touch()
while not (here / "go").exists():
    time.sleep(0.01)
sys.path.remove(str(here))
del sys.modules["uvicorn"]
importlib.import_module("uvicorn")
"""
"""A uvicorn that loads when it is told to go."""
PLAIN = b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The command line of a house of small jobs."""
    return CommandLine(tmp_path, ("-m", "tests.small_house"), {"WEB_ENABLED": "true", "WEB_PORT": "0"})


def address_of(daemon: Daemon) -> str:
    """Where a daemon says that its dashboard is."""
    daemon.says("the dashboard is at")
    return daemon.text.split("the dashboard is at ")[1].split()[0]


def test_a_port_that_is_taken_stops_the_start(house: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = house("start", WEB_PORT=str(port))
    assert ended.code == 2 and "leading with" not in ended.out, ended.out
    says = (
        rf"janitor: WEB_PORT is '{port}': nobody can listen there on 127\.0\.0\.1 \(address already in use\); [^\n]*\n"
    )
    assert re.fullmatch(says, ended.err)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"WEB_HOST": "0.0.0.0"}, "WEB_HOST is '0.0.0.0': beyond this machine the dashboard needs WEB_USERS, WEB_OPER"),
        ({"WEB_HOST": "::"}, "WEB_HOST is '::': beyond this machine"),
        ({"WEB_HOST": "192.0.2.1"}, "WEB_HOST is '192.0.2.1': beyond this machine"),
        ({"WEB_HOST": "no.such.host.invalid"}, "WEB_HOST is 'no.such.host.invalid': give an address of this machine"),
        ({"WEB_HOST": "192.0.2.1", "WEB_VIEWER_TOKEN": "0123456789abcdef"}, "nobody can listen there on 192.0.2.1"),
        ({"WEB_USERS": f"anna:boss:{HASH}"}, "WEB_USERS is '(not shown)': entry 1, anna, needs a role"),
        ({"WEB_VIEWER_TOKEN": "s3cret"}, "WEB_VIEWER_TOKEN is '(not shown)': give at least 16 printable"),
        ({"WEB_URL": "janitor.example"}, "WEB_URL is 'janitor.example': give an address without a path, such as https"),
        ({"WEB_URL": "https://janitor.example/path"}, "give an address without a path, such as https"),
    ],
)
def test_what_cannot_be_served_safely_is_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        server.bind(Settings.load({"WEB_PORT": "0"} | given, dotenv=None)).close()
    text = str(caught.value)
    assert says in text and HASH not in text and "s3cret" not in text and "\n" not in text


@pytest.mark.parametrize("given", [{"WEB_HOST": "localhost"}, {"WEB_HOST": "0.0.0.0", "WEB_USERS": f"a:viewer:{HASH}"}])
def test_a_free_port_is_found_and_told(given: dict[str, str]) -> None:
    with server.bind(Settings.load({"WEB_PORT": "0"} | given, dotenv=None)) as listener:
        port = listener.getsockname()[1]
        assert port and server.address_of(listener) in (f"http://127.0.0.1:{port}", f"http://[::1]:{port}")


@pytest.mark.slow
def test_it_stops_at_once_with_streams_open(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()
    with daemons("tests.small_house", tmp_path, WEB_ENABLED="true", WEB_PORT="0", GRACE_SECONDS="20") as start:
        daemon = start(url, COUNT_SCHEDULE="every 1h")
        address = address_of(daemon)
        with watching(f"{address}/events", 5) as streams:
            for stream in streams:
                stream.next("jobs")
            began = time.monotonic()
            assert daemon.end(signal.SIGTERM) == 0
            # Neither the grace of running tasks, nor uvicorn's for streams that do not end.
            assert time.monotonic() - began < 10
            assert [stream.rest() for stream in streams] == [[]] * 5
    assert "Traceback" not in daemon.text and "Cancel" not in daemon.text, daemon.text


@pytest.mark.slow
def test_a_web_server_that_breaks_is_made_anew(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "uvicorn.py").write_text("raise ImportError('this server is broken')\n", encoding="utf-8")
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    state = migrated(url)
    with daemons("tests.small_house", tmp_path, WEB_ENABLED="true", WEB_PORT="0") as start:
        daemon = start(url, COUNT_SCHEDULE="every 1s", PYTHONPATH=f"{broken}:{ROOT}")
        host, _, port = address_of(daemon).removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as visitor:
            visitor.sendall(PLAIN)
            daemon.says("web failed, and goes on: ImportError: this server is broken")
            assert ended(visitor), "nobody is left waiting"
        # Whoever restarts what does not answer has no reason to: the clock goes on.
        assert serves(f"http://{host}:{port}")
        (broken / "uvicorn.py").unlink()
        eventually(lambda: answers(f"http://{host}:{port}"))
        before = len(outcomes(state, "count"))
        eventually(lambda: len(outcomes(state, "count")) >= before + 2)
        assert daemon.end() == 0


@pytest.mark.slow
@pytest.mark.parametrize("url", DATABASES[:1], indirect=True)
def test_a_stand_by_serves_too(url: URL, tmp_path: Path) -> None:
    with daemons("tests.small_house", tmp_path, WEB_ENABLED="true", WEB_PORT="0") as start:
        first = start(url, "first")
        first.says("leading with")
        second = start(url, "second")
        jobs = Caller(address_of(second))("GET", "/api/jobs").json()["jobs"]
        assert {job["id"] for job in jobs} >= {"count", "fail"} and "leading with" not in second.text


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """An empty state database."""
    return empty_state(request, tmp_path)


def test_whoever_only_connects_takes_no_place_from_tasks(tmp_path: Path) -> None:
    # Given: a daemon. What happens: many connect, and ask for nothing.
    # What must hold: a few wait, the oldest give way, and whoever asks is served meanwhile.
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with served(url, tmp_path, lambda scheduler: None) as (_, address):
        host, _, port = address.removeprefix("http://").partition(":")
        idle = [socket.create_connection((host, int(port))) for _ in range(door.MOST_WAITING + 30)]
        assert [ended(one) for one in idle[:30]] == [True] * 30
        assert answers(address) and Caller(address)("GET", "/health/ready").status == 200
        for one in idle:
            one.close()


def test_connections_that_are_kept_open_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: as many connections as there may be, each with an answer. What happens: one more asks.
    # What must hold: it is closed at once; and once the others are gone, whoever asks is served.
    monkeypatch.setattr(uvicorn_private, "MOST_CONNECTIONS", 4)
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with served(url, tmp_path, lambda scheduler: None) as (_, address):
        host, _, port = address.removeprefix("http://").partition(":")
        kept = [socket.create_connection((host, int(port))) for _ in range(5)]
        for one in kept[:4]:
            one.sendall(PLAIN)
            assert one.recv(12) == b"HTTP/1.1 200"
        kept[4].sendall(PLAIN)
        assert ended(kept[4])
        for one in kept:
            one.close()
        assert eventually(lambda: answers(address))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_that_a_task_forks_keeps_no_port_in_use(tmp_path: Path) -> None:
    # Given: a server with a connection that is open. What happens: a task forks a child.
    # What must hold: the child has no socket of the server, so the port is free once the daemon has ended.
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with served(url, tmp_path, lambda scheduler: None) as (_, address):
        assert Caller(address)("GET", "/api/jobs").status == 200
        port = int(address.rpartition(":")[2])
        pid = os.fork()
        if pid == 0:
            os._exit(sum(own_port(int(name)) == port for name in os.listdir("/proc/self/fd")))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def own_port(descriptor: int) -> int:
    """The port at which a socket is open here; 0 for what is no such socket."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as double:
            return int(double.getsockname()[1])
    except (OSError, IndexError, ValueError):
        return 0


def answers(address: str) -> bool:
    """Whether somebody who comes now is served."""
    try:
        return bool(Caller(address)("GET", "/api/jobs").status == 200)
    except urllib3.exceptions.HTTPError:
        return False


def serves(address: str) -> bool:
    try:
        return bool(Caller(address)("GET", "/health/live").status == 200)
    except urllib3.exceptions.HTTPError:
        return False


def ended(connection: socket.socket) -> bool:
    """Whether the other side has closed a connection: at once, and not when it has asked for nothing for long."""
    connection.settimeout(door.REQUEST_SECONDS / 2)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.slow
def test_a_dashboard_that_is_visited_is_loaded_with_the_daemon(tmp_path: Path) -> None:
    # Given: a dashboard that somebody visited lately, whose server takes long to load. What happens: its daemon starts.
    # What must hold: it is loaded without a page being asked for. Meanwhile runs begin and probes are answered.
    slow, url = tmp_path / "slow", URL.create("sqlite", database=str(tmp_path / "state.db"))
    slow.mkdir()
    (slow / "uvicorn.py").write_text(SLOW, encoding="utf-8")
    state = migrated(url)
    Visits(tmp_path / "daemon.heartbeat").note()
    with daemons("tests.small_house", tmp_path, WEB_ENABLED="true", WEB_PORT="0") as start:
        daemon = start(url, COUNT_SCHEDULE="every 1s", PYTHONPATH=f"{slow}:{ROOT}")
        address = address_of(daemon)
        assert eventually((slow / "begun").exists) and "leading with" in daemon.text
        before = len(outcomes(state, "count"))
        eventually(lambda: len(outcomes(state, "count")) >= before + 2)
        assert serves(address) and "the dashboard is loaded" not in daemon.text
        (slow / "go").touch()
        daemon.says("the dashboard is loaded")
        assert answers(address)
        assert daemon.end() == 0


def test_nothing_of_the_server_is_loaded_before_somebody_comes() -> None:
    loaded = "*sorted({'fastapi', 'uvicorn', 'jinja2'} & set(sys.modules))"
    code = f"import sys, run, janitor.cli, janitor.web.serving.server; print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
