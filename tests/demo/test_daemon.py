"""The daemon of the demo: a process in the demo's folder, with the lock and without a terminal."""

import sys
from datetime import date
from pathlib import Path

import pytest

from janitor.demo import daemon
from janitor.demo.place import Place
from tests.small_engine import eventually


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Give a place in which `run` is not imported yet; the first `run.py` on the path is that of the test."""
    monkeypatch.delitem(sys.modules, "run", raising=False)
    (tmp_path / "code").mkdir()
    (tmp_path / "demo").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    return Place(tmp_path / "demo", date(2026, 7, 1), 8123, "http://127.0.0.1:9/")


def test_it_works_in_the_folder_and_its_number_is_in_the_lock(place: Place, tmp_path: Path) -> None:
    (tmp_path / "code" / "run.py").write_text("import os\nprint(os.getcwd(), os.environ['WEB_PORT'], os.getsid(0))")
    with (tmp_path / "lock").open("a+") as lock:
        lock.write("an earlier process")
        started = daemon.start(place, lock)
        assert started.wait(30) == 0
    assert (tmp_path / "lock").read_text() == str(started.pid)
    assert place.log.read_text() == f"{place.folder} 8123 {started.pid}\n"


def test_it_is_stopped_with_sigterm(place: Place, tmp_path: Path) -> None:
    (tmp_path / "code" / "run.py").write_text("import signal\nprint('at work', flush=True)\nsignal.pause()")
    with (tmp_path / "lock").open("a+") as lock:
        started = daemon.start(place, lock)
    daemon.stop(started)
    assert started.returncode == -15


def test_a_daemon_that_does_not_stop_is_killed(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.mkfifo('deaf')\nopen('deaf').read()\n"
    (tmp_path / "code" / "run.py").write_text(f"{deaf}signal.pause()")
    monkeypatch.setattr(daemon, "STOP_SECONDS", 0.1)
    with (tmp_path / "lock").open("a+") as lock:
        started = daemon.start(place, lock)
    eventually((place.folder / "deaf").exists)
    (place.folder / "deaf").open("w").close()
    daemon.stop(started)
    assert started.returncode == -9


def test_without_run_py_it_is_said_where_to_start(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path / "code")])
    with (tmp_path / "lock").open("a+") as lock, pytest.raises(SystemExit, match="start the demo from the checkout"):
        daemon.start(place, lock)
