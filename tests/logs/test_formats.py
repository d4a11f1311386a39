"""A log line as text or JSON: one line for each fact, with its run."""

import io
import json
import logging

import pytest

from janitor.logs.formats import JsonFormatter, TextFormatter
from janitor.logs.mask import Mask
from janitor.runs import Run, running
from tests.logs.logged import logging_to


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


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_has_an_end(log_format: str) -> None:
    stream = io.StringIO()
    logging_to(stream, LOG_FORMAT=log_format)
    logging.getLogger("x").info("é" * 1_000_000)
    assert "(2,000,000 bytes in all)" in stream.getvalue() and len(stream.getvalue()) < 20_000


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


def test_a_traceback_may_be_left_out() -> None:
    record = logging.makeLogRecord({"msg": "odd", "exc_info": (ValueError, ValueError("x"), None)})
    assert "ValueError" in TextFormatter(Mask()).format(record)
    assert "ValueError" not in TextFormatter(Mask(), tracebacks=False).format(record)
