"""What runs print: whole lines, each once, with their run."""

import logging
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.logs.printed import LONGEST, Printed
from janitor.runs import Run, bounds, current_run, running


def printed_to(stream: StringIO, told: list[tuple[int, str]]) -> Printed:
    return Printed(stream, "stdout", lambda record: told.append((current_run().id, record.getMessage())))


def test_outside_of_runs_nothing_changes() -> None:
    told: list[tuple[int, str]] = []
    stream = StringIO()
    print("a\nb", file=printed_to(stream, told))
    assert (stream.getvalue(), told) == ("a\nb\n", [])


@given(st.lists(st.text(alphabet="ab\n %{", max_size=8), max_size=8))
def test_whatever_the_pieces_are_the_lines_are_told(pieces: list[str]) -> None:
    told: list[tuple[int, str]] = []
    stream = StringIO()
    printed = printed_to(stream, told)
    with running(Run(id=3)):
        for piece in pieces:
            printed.write(piece)
        printed.end_of(3)
    assert told == [(3, line) for line in "".join(pieces).split("\n") if line.strip()]
    assert stream.getvalue() == ""


def test_lines_of_two_runs_and_threads_are_not_mixed() -> None:
    told: list[tuple[int, str]] = []
    printed = printed_to(StringIO(), told)

    def other() -> None:
        with running(Run(id=2)):
            printed.write("b\n")

    with running(Run(id=1)):
        printed.write("a")
        thread = Thread(target=other)
        thread.start()
        thread.join()
        printed.write("a\n")
    assert told == [(2, "b"), (1, "aa")]


def test_a_line_without_an_end_is_told_in_pieces() -> None:
    told: list[tuple[int, str]] = []
    printed = printed_to(StringIO(), told)
    with running(Run(id=1)):
        printed.write("x" * (2 * LONGEST + 5))
        printed.end_of(1)
    assert [len(line) for _, line in told] == [LONGEST, LONGEST, 5]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_of_any_length_is_told_in_time_that_follows_it(end: str) -> None:
    # Cutting a piece off the whole line again and again takes many minutes.
    told: list[tuple[int, str]] = []
    printed = printed_to(StringIO(), told)
    with running(Run(id=1)):
        printed.write("x" * (10_000 * LONGEST + 5) + end)
        printed.end_of(1)
    assert len(told) == 10_001 and {len(line) for _, line in told} == {LONGEST, 5}


def test_a_piece_of_a_line_fits_into_a_line_of_the_log() -> None:
    assert len(("\U0001f9ec" * LONGEST).encode()) <= bounds.LOG_LINE


def test_a_handler_that_prints_its_failure_does_not_recur() -> None:
    stream = StringIO()

    def fail(record: logging.LogRecord) -> None:
        print("the handler failed", file=printed)

    printed = Printed(stream, "stderr", fail)
    with running(Run(id=1)):
        print("a", file=printed)
    assert stream.getvalue() == "the handler failed\n"


def test_who_closes_it_means_another_stream() -> None:
    stream, told = StringIO(), list[tuple[int, str]]()
    with printed_to(stream, told) as printed:
        pass
    print("still there", file=printed)
    assert stream.getvalue() == "still there\n"


def test_all_else_of_the_stream_is_the_stream_s(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="latin-1", errors="replace") as stream:
        printed = Printed(stream, "stdout", lambda record: None)
        for name in ("encoding", "errors", "newlines", "buffer", "name", "mode", "line_buffering", "write_through"):
            assert getattr(printed, name) == getattr(stream, name), name
        assert (printed.fileno(), printed.isatty(), printed.writable()) == (stream.fileno(), False, True)
