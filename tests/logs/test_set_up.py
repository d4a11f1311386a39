"""Logging: one line per fact, kept with the run that it belongs to, without secrets."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from janitor.logs import set_up
from janitor.logs.formats import JsonFormatter, TextFormatter
from janitor.logs.mask import Mask, mask_for
from janitor.logs.run_log import RunLog
from janitor.runs import Run, follow_into_threads, running
from janitor.settings import Settings
from tests.command_line import CommandLine

SECRET = 'p"s\\w/ö rd'


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was again after the test."""
    root = logging.getLogger()
    kept, level, hook = root.handlers[:], root.level, threading.excepthook
    yield root
    root.handlers[:], threading.excepthook = kept, hook
    root.setLevel(level)
    logging.captureWarnings(False)


def logging_to(stream: io.StringIO, mask: Mask | None = None, **environ: str) -> RunLog:
    return set_up.set_up(Settings.load(environ, None), mask or Mask(), stream)


def said(run_log: RunLog, run_id: int) -> list[str]:
    return [line.message for line in run_log.take(run_id)]


def test_a_line_says_when_what_and_of_which_run() -> None:
    stream = io.StringIO()
    logging_to(stream)
    with running(Run(id=7, job="nightly")):
        logging.getLogger("some.library").warning("three %s", "things")
    line = stream.getvalue()
    assert line.endswith("Z WARNING some.library [nightly 7] three things\n")
    assert line[:2] == "20" and line[10] == "T"


def test_a_text_of_several_lines_stays_one_line() -> None:
    stream = io.StringIO()
    logging_to(stream)
    logging.getLogger("x").info("one\nINFO forged\r\ntwo")
    assert stream.getvalue().count("\n") == 1
    assert r"one\nINFO forged\r\ntwo" in stream.getvalue()


def test_json_lines_carry_facts_and_the_traceback() -> None:
    stream = io.StringIO()
    logging_to(stream, LOG_FORMAT="json")
    with running(Run(id=7, job="nightly")):
        try:
            raise ValueError("odd")
        except ValueError:
            logging.getLogger("x").exception("it %s", "failed", extra={"facts": {"rows": 3}})
    found = json.loads(stream.getvalue())
    assert (found["event"], found["level"], found["job"], found["run_id"], found["rows"]) == (
        "it failed",
        "error",
        "nightly",
        7,
        3,
    )
    assert found["traceback"].endswith("ValueError: odd")


@pytest.mark.parametrize("facts", [{"big": 2**80}, {"half": "\ud800"}, {5: object()}])
def test_json_takes_whatever_a_task_counts(facts: dict[object, object]) -> None:
    record = logging.makeLogRecord({"msg": "ended", "facts": facts})
    assert json.loads(JsonFormatter(Mask()).format(record))["event"] == "ended"


def test_what_is_logged_in_a_run_is_kept_with_it() -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        logging.getLogger("any.library").info("in it")
        logging.getLogger("any.library").debug("below the level")
    logging.getLogger("any.library").info("after it")
    assert said(run_log, 7) == ["in it"]
    assert said(run_log, 7) == []


def test_what_a_run_s_threads_log_is_kept_with_it() -> None:
    follow_into_threads()
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: logging.getLogger("x").info("part %d", n), range(3)))
    assert sorted(said(run_log, 7)) == ["part 0", "part 1", "part 2"]


def test_a_pool_that_outlives_its_run_is_no_part_of_it() -> None:
    follow_into_threads()
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    first = Run(id=7)
    with ThreadPoolExecutor(1) as pool:
        with running(first):
            pool.submit(logging.getLogger("x").info, "in it").result()
        first.ended = True
        pool.submit(logging.getLogger("x").info, "after it").result()
    assert said(run_log, 7) == ["in it"]


def test_an_exception_is_kept_with_its_traceback() -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        try:
            raise KeyError("gone")
        except KeyError:
            logging.getLogger("x").exception("odd")
    (text,) = said(run_log, 7)
    assert text.startswith("odd\nTraceback") and text.endswith("KeyError: 'gone'")


def test_a_call_that_logs_wrongly_does_not_end_the_task(capsys: pytest.CaptureFixture[str]) -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        logging.getLogger("x").info("%d things", "no number")
        logging.getLogger("x").info("goes on")
    assert said(run_log, 7) == ["goes on"]
    assert "Logging error" in capsys.readouterr().err


def test_a_text_that_no_database_takes_is_made_one() -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        logging.getLogger("x").info("file \udcff")
    assert said(run_log, 7) == ["file \\udcff"]


def test_a_run_s_log_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.logs.run_log.MAX_LINES_A_RUN", 5)
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        for number in range(10):
            logging.getLogger("x").info("line %d", number)
    lines = said(run_log, 7)
    assert lines[:4] == ["line 0", "line 1", "line 2", "line 3"]
    assert len(lines) == 5 and "the log is cut here" in lines[4]


def test_a_run_s_log_has_an_end_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.logs.run_log.MAX_TEXT_A_RUN", 1000)
    monkeypatch.setattr("janitor.logs.run_log.MAX_LINE", 300)
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        for _ in range(10):
            logging.getLogger("x").info("%s", "x" * 500)
    lines = said(run_log, 7)
    assert [len(line) for line in lines[:3]] == [300, 300, 300]
    assert len(lines) == 4 and "the log is cut here" in lines[3]


def test_lines_that_could_not_be_saved_come_first_again() -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        logging.getLogger("x").info("one")
        logging.getLogger("x").info("two")
        taken = run_log.take(7)
        logging.getLogger("x").info("three")
    run_log.give_back(taken)
    assert said(run_log, 7) == ["one", "two", "three"]
    run_log.close_run(7)
    run_log.give_back(taken)
    assert run_log.close_run(7) == []


def test_no_form_of_a_secret_gets_through() -> None:
    settings = Settings.load(
        {
            "MLWH_DATABASE_URL": "mysql+pymysql://me:p%22s%5cw%2f%C3%B6%20rd@db/mlwh",
            "RABBITMQ_PASSWORD": "rabbit-pass",
        },
        None,
    )
    url = settings.needed("MLWH_DATABASE_URL")
    assert url.password == SECRET
    mask = mask_for(settings)
    stream = io.StringIO()
    run_log = logging_to(stream, mask)
    run_log.open(7)
    shown = [SECRET, repr(SECRET), json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), "rabbit-pass"]
    shown += [url.render_as_string(False), settings.environ["MLWH_DATABASE_URL"]]
    with running(Run(id=7)):
        for text in shown:
            logging.getLogger("x").error("it has %s in it", text, exc_info=ValueError(text))
    record = logging.makeLogRecord({"msg": " ".join(shown), "facts": {"secret": SECRET}})
    kept = "".join(said(run_log, 7)) + stream.getvalue() + JsonFormatter(mask).format(record)
    for part in ("s\\w", "s\\\\w", "%5C", "%5c", "rabbit-pass", "rd@db"):
        assert part not in kept.replace("***@db", ""), part


def test_a_short_password_leaves_words_alone() -> None:
    assert Mask(["guest"])("a guest") == "a guest"


def test_a_traceback_may_be_left_out() -> None:
    record = logging.makeLogRecord({"msg": "odd", "exc_info": (ValueError, ValueError("x"), None)})
    assert "ValueError" in TextFormatter(Mask()).format(record)
    assert "ValueError" not in TextFormatter(Mask(), tracebacks=False).format(record)


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


def test_a_daemon_s_json_lines_tell_of_every_run(tmp_path: Path) -> None:
    every_second = {f"{job}_SCHEDULE": "every 1s" for job in ("FAIL", "OVERRUN", "STICK")}
    house = CommandLine(tmp_path, ("-m", "tests.small_house"), {"LOG_FORMAT": "json", **every_second})
    password = {"LABWHERE_DATABASE_URL": "mysql+pymysql://me:hidden-word@db/lw", "OVER_ENABLED": "false"}
    with house.started("start", GRACE_SECONDS="0.1", **password) as process:
        assert process.stdout is not None
        found = [json.loads(process.stdout.readline())]
        while not {"timed_out", "failed", "succeeded"} < {line.get("outcome") for line in found[:-1]} or not any(
            line.get("job") == "stick" and line.get("outcome") == "skipped" for line in found
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
    (reason,) = {line["reason"] for line in found if (line.get("job"), line.get("outcome")) == ("stick", "skipped")}
    assert reason.startswith("still running (run ")
    cut_off = next(line for line in found if line.get("outcome") == "interrupted" and "duration" not in line)
    assert cut_off["job"] == "stick" and cut_off["run_id"] > 0
    started = {line["run_id"] for line in found if line["event"] == "started"}
    assert {line["run_id"] for line in found if "duration" in line} <= started
