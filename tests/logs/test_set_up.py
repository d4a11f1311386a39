"""Logging as it is set up for a process.

Given: a process with logging set up; in one test, a whole daemon with JSON lines.
What happens: warnings, dead threads, and runs that end in every way.
What must hold: each is a line in one format, with its run, and without secrets.
"""

import io
import json
import threading
import warnings
from datetime import datetime
from pathlib import Path

from janitor.logs.mask import Mask
from tests.command_line import CommandLine
from tests.logs.logged import logging_to


def test_warnings_and_dead_threads_are_log_lines() -> None:
    stream = io.StringIO()
    logging_to(stream, Mask(["hidden-word"]))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", stacklevel=1)

    def die() -> None:
        raise ValueError("hidden-word")

    thread = threading.Thread(target=die, name="lane")
    thread.start()
    thread.join()
    assert "py.warnings" in stream.getvalue() and "old ways" in stream.getvalue()
    assert "CRITICAL janitor.logs.set_up the thread lane died" in stream.getvalue()
    assert "hidden-word" not in stream.getvalue()


def test_json_lines_of_a_daemon_tell_of_each_run(tmp_path: Path) -> None:
    every_second = {f"{job}_SCHEDULE": "every 1s" for job in ("FAIL", "OVERRUN", "STICK")}
    house = CommandLine(tmp_path, ("-m", "tests.small_house"), {"LOG_FORMAT": "json", **every_second})
    password = {"LABWHERE_DATABASE_URL": "mysql+pymysql://me:hidden-word@db/lw", "OVER_ENABLED": "false"}
    with house.started("start", GRACE_SECONDS="0.1", **password) as process:
        assert process.stdout is not None
        found = [json.loads(process.stdout.readline())]
        while not {"timed_out", "failed", "succeeded"} < {line.get("outcome") for line in found[:-1]} or not any(
            line.get("job") == "stick" and line.get("reason", "").startswith("still running (run ") for line in found
        ):
            found.append(json.loads(process.stdout.readline()))
        ended = house.stopped(process)
    found += [json.loads(line) for line in ended.lines]
    for line in found:
        assert {"time", "level", "event", "logger"} <= set(line) and line["time"].endswith("Z"), line
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
        assert ("run_id" in line) <= ("job" in line)
    ends = {line["job"]: line for line in found if "duration" in line}
    assert {"count", "fail", "overrun"} <= set(ends) and all(
        {"run_id", "outcome", "counts"} <= set(one) for one in ends.values()
    )
    assert ends["count"]["counts"] == {"checked": 7, "inserted": 5} and 0 < ends["count"]["duration"] < 30
    assert ends["fail"]["reason"].startswith("ValueError: ") and ends["fail"]["level"] == "error"
    assert ends["fail"]["traceback"].startswith("Traceback") and "***@db" in ends["fail"]["traceback"]
    skipped = [line for line in found if (line.get("job"), line.get("outcome")) == ("stick", "skipped")]
    # A run that has not quite begun has no number yet.
    assert skipped and all(line["reason"].startswith("still running") for line in skipped)
    cut_off = next((line for line in found if line.get("outcome") == "interrupted" and "duration" not in line), None)
    assert cut_off is not None, ended.lines
    assert cut_off["job"] == "stick" and cut_off["run_id"] > 0
    started = {line["run_id"] for line in found if line["event"] == "started"}
    assert {line["run_id"] for line in found if "duration" in line} <= started
