"""The run log: the lines of each open run are kept, up to a limit, until they are taken."""

import io
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from janitor.logs.run_log import RunLog
from janitor.runs import Run, running
from janitor.runs.threads import follow_into_threads
from tests.logs.logged import logging_to, said


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


def test_half_a_character_is_kept_as_an_escape() -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        logging.getLogger("x").info("file \udcff")
    assert said(run_log, 7) == ["file \\udcff"]


def of_lines(count: int) -> RunLog:
    """The log of a run, number 7, that has logged so many lines."""
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        for number in range(count):
            logging.getLogger("x").info("line %d", number)
    return run_log


def test_a_run_s_log_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.logs.run_log.FIRST_LINES", 4)
    monkeypatch.setattr("janitor.logs.run_log.LAST_LINES", 3)
    run_log = of_lines(10)
    lines = said(run_log, 7)
    assert lines[:4] == ["line 0", "line 1", "line 2", "line 3"]
    assert len(lines) == 5 and "the log is cut here" in lines[4]
    assert [line.message for line in run_log.close_run(7)] == ["line 7", "line 8", "line 9"]


def test_a_run_s_log_has_an_end_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.logs.run_log.FIRST_TEXT", 1000)
    monkeypatch.setattr("janitor.logs.run_log.LAST_TEXT", 600)
    monkeypatch.setattr("janitor.runs.bounds.LOG_LINE", 300)
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    with running(Run(id=7)):
        for _ in range(10):
            logging.getLogger("x").info("%s", "é" * 500)
    lines = said(run_log, 7)
    assert all(290 < len(line.encode()) <= 300 and "(1,000 bytes in all)" in line for line in lines[:-1])
    assert len(lines) == 8 and "the log is cut here" in lines[-1]
    last = run_log.close_run(7)
    assert len(last) == 3 and all("(1,000 bytes in all)" in line.message for line in last)


def test_a_log_that_fits_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.logs.run_log.FIRST_LINES", 4)
    run_log = of_lines(4)
    assert said(run_log, 7) == ["line 0", "line 1", "line 2", "line 3"] and run_log.close_run(7) == []


def test_a_hostile_record_costs_its_line_alone() -> None:
    run_log = logging_to(io.StringIO())
    run_log.open(7)
    odd = {"created": float("nan"), "lineno": 10**30, "levelname": 7, "name": "half \udcff", "pathname": "x" * 999}
    with running(Run(id=7)):
        for name, value in odd.items():
            record = logging.makeLogRecord({"msg": name, name: value})
            run_log.emit(record)
    assert said(run_log, 7) == ["lineno", "levelname", "name", "pathname"]


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
