"""The demo as a user starts it: a process, with the real daemon under it."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fastavro
import pytest
from sqlalchemy import create_engine

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "janitor.demo"]


def demo(folder: Path, *arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [*DEMO, "--folder", str(folder), *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, timeout=150)


def count(folder: Path, database: str, statement: str) -> int:
    engine = create_engine(f"sqlite:///{folder / database}")
    with engine.connect() as connection:
        found = int(connection.exec_driver_sql(statement).scalar_one())
    engine.dispose()
    return found


def records(folder: Path) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for path in (folder / "messages").glob("*.avro"):
        with path.open("rb") as file:
            found.update(tuple(record.values()) for record in fastavro.reader(file) if isinstance(record, dict))
    return found


@pytest.mark.slow
def test_the_demo_moves_rows_and_messages_twice_in_a_row(tmp_path: Path) -> None:
    for _ in range(2):
        ended = demo(tmp_path, "--seconds", "5")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert re.search(r"^The dashboard is at http://127\.0\.0\.1:\d+$", ended.stdout, re.MULTILINE)
        rows = count(tmp_path, "mlwh.db", "SELECT COUNT(*) FROM labware_location")
        published = records(tmp_path)
        assert rows > 2800
        assert published.total() > 1000
        assert max(published.values()) == 1
        said = re.search(r"([\d,]+) in [\d,]+ Avro files, 0 of them twice", ended.stdout)
        assert said and int(said[1].replace(",", "")) == published.total()
        assert f"of {rows:,} labwares" in ended.stdout
        assert "has no user with a login" in ended.stdout
        assert count(tmp_path, "state.db", "SELECT COUNT(*) FROM runs WHERE outcome IS NULL") == 0


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("--seconds", "3000")])
def test_ctrl_c_ends_the_demo_and_its_daemon(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    command = [*DEMO, "--folder", str(tmp_path), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        output = ""
        while "synced:" not in output:
            output += process.stdout.readline() if process.stdout else ""
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output + rest
    assert "What came of it" in rest
    found = re.search(r"Started the daemon, process (\d+)", output)
    assert found is not None
    with pytest.raises(ProcessLookupError):
        os.kill(int(found[1]), 0)


def test_a_daemon_that_ends_by_itself_fails_the_demo(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("raise SystemExit('this daemon does not start')")
    ended = demo(tmp_path / "demo", "--seconds", "5", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert ended.returncode == 1
    assert "The daemon ended by itself, with exit code 1. Its last lines:\nthis daemon does not start" in ended.stdout


@pytest.mark.slow
def test_a_daemon_that_does_nothing_fails_the_demo(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("import time\ntime.sleep(600)")
    arguments = ("--seconds", "1", "--patience", "1")
    ended = demo(tmp_path / "demo", *arguments, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert ended.returncode == 1
    assert "0 written, of 0 labwares" in ended.stdout


@pytest.mark.slow
def test_a_demo_leaves_alone_what_an_orphaned_daemon_uses(tmp_path: Path) -> None:
    """Given: a demo that was killed, so that its daemon goes on alone.

    Happens: another demo starts in the same folder.
    Must hold: it refuses, names the daemon, and deletes nothing.
    """
    (tmp_path / "run.py").write_text("import time\ntime.sleep(600)")
    command = [*DEMO, "--folder", str(tmp_path / "demo")]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True) as first:
        output = ""
        while "Started the daemon" not in output:
            output += first.stdout.readline() if first.stdout else ""
        first.kill()
    daemon = int(output.split("process ")[1].split(";")[0])
    try:
        second = demo(tmp_path / "demo", "--seconds", "1", cwd=tmp_path, PYTHONPATH=str(ROOT))
    finally:
        os.kill(daemon, signal.SIGKILL)
    assert second.returncode == 1
    assert f"another demo, or its daemon (process {daemon}), is at work in" in second.stdout
    assert (tmp_path / "demo" / "labwhere.db").exists()
