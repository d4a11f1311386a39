"""Escapes: nothing that a task says steers a terminal or turns a text around; JSON keeps it as it was."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from janitor.logs.escapes import LAID_OUT, visible
from janitor.logs.mask import Mask
from janitor.web.charts.svg import tag
from janitor.web.rendering import markdown, render
from tests.command_line import CommandLine
from tests.jobs_file.files import write
from tests.logs.logged import logging_to
from tests.verbs.house import in_terminal

HOSTILE = "\x1b]0;X\x07 \x1b[2J \x00 \x9b31m \u202egnp.exe\u202c \u2066x\u2069 \u2028 \ufeff \x7f"
SEEN = r"\x1b]0;X\x07 \x1b[2J \x00 \x9b31m \u202egnp.exe\u202c \u2066x\u2069 \u2028 \ufeff \x7f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SEEN),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("größer 😀 \u200dمی‌خواهم 北京", "größer 😀 \u200dمی‌خواهم 北京"),
        ("\U000e0041", r"\U000e0041"),
        ("half \ud800", r"half \ud800"),
        ("", ""),
    ],
)
def test_what_steers_is_shown_and_what_people_write_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_to_be_kept_is_kept() -> None:
    assert visible("a\n\tb\r\x1b", keep=LAID_OUT) == "a\n\tb" + r"\r\x1b"


def test_a_log_line_is_one_line_and_steers_nothing() -> None:
    stream = io.StringIO()
    run_log = logging_to(stream, Mask())
    run_log.open(0)
    logging.getLogger("x\x1b[1m").error("it says %s\nand more", HOSTILE, exc_info=ValueError(HOSTILE))
    first, *trace = stream.getvalue().splitlines()
    assert first.endswith(rf"x\x1b[1m it says {SEEN}\nand more") and trace == [f"ValueError: {SEEN}"]


def test_a_page_shows_escapes() -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    values: dict[str, Any] = {"title": f"<b>{HOSTILE}", "sentence": HOSTILE, "status": 403, "signs_in": False}
    page = bytes(render(request, "error.html", **values).body).decode()
    assert SEEN.replace("'", "&#39;") in page and "&lt;b&gt;" in page
    for text in (page, markdown(f"a {HOSTILE}\n\n- b"), tag("text", HOSTILE, title=HOSTILE)):
        assert not set("\x1b\x07\x00\x9b\u202e\u2066\u2028\ufeff\x7f") & set(text)


HERE = "tests.logs.test_escapes"


def tells() -> dict[str, str]:
    """Say what steers a terminal in every way that a task has."""
    from janitor.runs import current_run

    current_run().progress(1, 2, HOSTILE)
    logging.warning("it is %s", HOSTILE)
    raise ValueError(f"not {HOSTILE}")


@pytest.mark.slow
def test_a_run_s_words_steer_no_terminal_and_json_has_them(tmp_path: Path) -> None:
    # Given: a task that logs, reports and raises what steers a terminal. What happens: it runs, and verbs show it in a
    # terminal and in a pipe. What must hold: each shows escapes, and JSON has the characters themselves.
    write(tmp_path, f"jobs:\n  - {{id: tells, function: '{HERE}:tells', title: \"a\\u202Eb\"}}\n")
    house = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml"})
    said = [house("run", "tells"), house("show", "1"), house("history"), house("jobs")]
    texts = [ended.out + ended.err for ended in said]
    for text in texts:
        assert not set("\x1b\x07\x00\x9b\u202e\u2066\u2028\ufeff\x7f") & set(text), ascii(text)
    assert all(r"\x1b]0;X\x07" in text and r"\u202egnp" in text for text in texts[:3])
    # The helper takes the colours out of what a terminal gets; what is left is the task's.
    whole = CommandLine(tmp_path, house.program, {**house.environment, "NO_COLOR": "1"})
    assert "\x1b]" not in in_terminal(whole, "show", "1")[0] and "\u202e" not in in_terminal(whole, "history")[0]
    run = json.loads(house("show", "1", "--json").out)
    assert HOSTILE.split("\x00")[0] in run["reason"] and "\u202e" in json.dumps(run["log"], ensure_ascii=False)
