"""A run's progress as bars: drawn on a terminal, above them the log; nothing elsewhere."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from janitor.terminal.bars import bars
from tests.terminal.screen import screen

PARTS: dict[str, Any] = {
    "fetch/page 1": {"done": 3, "total": 4, "note": "slow"},
    "fetch/page 2": {"done": 1, "total": 4},
}


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    """The handlers of the root logger, none at first."""
    root = logging.getLogger()
    before = root.handlers
    root.handlers = []
    yield root.handlers
    root.handlers = before


def test_each_part_has_a_bar_below_its_parent(handlers: list[logging.Handler]) -> None:
    with screen() as terminal, bars("copy") as show:
        show(PARTS)
    drawn = terminal.getvalue()
    names = ["copy", "fetch", "page 1", "page 2"]
    assert sorted(names, key=drawn.index) == names
    assert "4/8" in drawn and "3/4" in drawn and "slow" in drawn


def test_nothing_is_drawn_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with bars("copy") as show:
        show(PARTS)
    assert capsys.readouterr() == ("", "")


def test_the_log_goes_above_the_bars_and_a_log_file_stays(handlers: list[logging.Handler], tmp_path: Path) -> None:
    # Given a log on the terminal and a log in a file.
    # What happens: a line is logged while bars are drawn, and a line after that.
    # What must hold: both lines are on the terminal and in the file; the stream of the terminal is as before.
    with screen() as terminal:
        to_terminal, to_file = logging.StreamHandler(sys.stderr), logging.FileHandler(tmp_path / "log")
        handlers += [to_terminal, to_file]
        with bars("copy") as show:
            show(PARTS)
            assert to_terminal.stream is not terminal
            logging.error("a page is missing")
        logging.error("that is all")
        to_file.close()
    assert to_terminal.stream is terminal
    assert (tmp_path / "log").read_text(encoding="utf-8") == "a page is missing\nthat is all\n"
    assert "a page is missing" in terminal.getvalue() and "that is all" in terminal.getvalue()
