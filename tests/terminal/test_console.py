"""Printing: a listing as a table, as tab-separated text and as JSON; a run for people."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from janitor.terminal import console
from tests.terminal.screen import screen

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
COLUMNS = {"job": "job", "at": "at (UTC)", "seconds": "seconds", "counts": "counts", "note": ""}
ROW: dict[str, Any] = {
    "job": "copy",
    "at": NOON.astimezone(timezone(timedelta(hours=2))),
    "seconds": 1.5,
    "counts": {"rows": 3, "skipped": 0},
    "note": "two\nlines",
    "id": 7,
}
RUN: dict[str, Any] = {
    "run": 7,
    "job": "copy",
    "outcome": "failed",
    "reason": "ValueError: no\nrows",
    "origin": "by_hand",
    "dry_run": False,
    "slot_at": None,
    "slots": None,
    "slot_until_at": None,
    "started_at": NOON,
    "ended_at": NOON,
    "seconds": 1.5,
    "holder": "process 1 on host",
    "counts": None,
    "attempts": 1,
    "progress": None,
    "attempt_list": [],
    "used": {},
    "used_by": [],
    "kept_because": None,
    "config": None,
    "result": None,
    "log": [],
    "traceback": None,
}


def lines(**changed: Any) -> list[str]:
    """How a run is shown that differs from RUN in these values."""
    return list(console.run_lines(RUN | changed))


def test_a_pipe_gets_tab_separated_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_listing([ROW, {"job": "new"}], COLUMNS, as_json=False, empty="no jobs")
    assert capsys.readouterr().out.splitlines() == [
        "job\tat\tseconds\tcounts\tnote",
        "copy\t2026-07-01T12:00:00.000Z\t1.50\trows=3 skipped=0\ttwo lines",
        "new\t\t\t\t",
    ]


def test_a_terminal_gets_a_table() -> None:
    with screen() as terminal:
        console.print_listing([ROW], COLUMNS, as_json=False, empty="no jobs")
    text = terminal.getvalue()
    assert "at (UTC)" in text and "2026-07-01 12:00:00" in text and "two lines" in text and "\t" not in text


def test_a_terminal_gets_a_long_text_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    long = ROW | {"note": "x" * 5000}
    with screen() as terminal:
        console.print_listing([long], COLUMNS, as_json=False, empty="no jobs")
    text = terminal.getvalue()
    assert "bytes in all)" in text
    assert 400 < text.count("x") < 500
    console.print_listing([long], COLUMNS, as_json=False, empty="no jobs")
    assert "x" * 5000 in capsys.readouterr().out


def test_a_terminal_gets_a_sentence_if_there_is_nothing() -> None:
    with screen() as terminal:
        console.print_listing([], COLUMNS, as_json=False, empty="no jobs")
    assert terminal.getvalue() == "no jobs\n"


def test_a_pipe_gets_the_headings_alone_if_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_listing([], COLUMNS, as_json=False, empty="no jobs")
    assert capsys.readouterr().out == "job\tat\tseconds\tcounts\tnote\n"


def test_json_has_every_value_but_the_note(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_listing([ROW], COLUMNS, as_json=True, empty="no jobs")
    (found,) = json.loads(capsys.readouterr().out)
    assert found.keys() == ROW.keys() - {"note"}
    assert (found["id"], found["seconds"], found["counts"]) == (7, 1.5, {"rows": 3, "skipped": 0})
    assert datetime.fromisoformat(found["at"]) == NOON


def test_a_run_shows_only_the_facts_that_it_has() -> None:
    assert lines() == [
        "run       7",
        "job       copy",
        "outcome   failed",
        "reason    ValueError: no rows",
        "origin    by hand",
        "started   2026-07-01 12:00:00",
        "ended     2026-07-01 12:00:00",
        "seconds   1.50",
        "by        process 1 on host",
    ]


def test_a_run_of_several_slots_says_up_to_which() -> None:
    one = lines(slot_at=NOON, slot_until_at=NOON, slots=1)
    several = lines(slot_at=NOON, slot_until_at=NOON + timedelta(hours=2), slots=3)
    assert "slot      2026-07-01 12:00:00" in one and not [line for line in one if line.startswith("slots")]
    assert "slots     3, up to 2026-07-01 14:00:00" in several


def test_a_run_shows_its_progress_and_its_attempts() -> None:
    attempt = {"number": 1, "started_at": NOON, "outcome": "failed", "reason": "OSError:\ndisk"}
    shown = lines(
        progress={"fetch": {"done": 3, "total": 4, "note": "slow"}, "write": {"done": 1, "total": None}},
        attempts=2,
        attempt_list=[attempt, attempt | {"number": 2, "outcome": "succeeded", "reason": None}],
        dry_run=True,
    )
    assert {
        "attempts  2",
        "dry run   yes",
        "progress  fetch: 3 of 4 slow",
        "progress  write: 1",
        "attempt   1 at 2026-07-01 12:00:00: failed OSError: disk",
        "attempt   2 at 2026-07-01 12:00:00: succeeded",
    } <= set(shown)


def test_a_run_shows_what_it_used_and_what_is_kept_of_it() -> None:
    long = "x" * 3_000
    shown = lines(
        used={"crawl": 5},
        used_by=[{"run": 9, "job": "report"}],
        kept_because="its cleanup failed",
        config={"args": [1]},
        result=long,
    )
    assert shown[-5:] == [
        "used      run 5 of crawl",
        "used by   run 9 of report",
        "kept      its cleanup failed",
        'config    {"args":[1]}',
        f'result    "{long[:1_999]}',
    ]


def test_a_run_s_log_and_traceback_come_last() -> None:
    line = {"at": NOON, "level": "INFO", "logger": "copy", "file": "copy.py", "line": 3, "message": "began"}
    shown = lines(log=[line, line | {"file": None, "line": None}], traceback="Traceback\nValueError\n")
    assert shown[-4:] == [
        "\nlog (UTC)",
        "2026-07-01 12:00:00.000000 INFO copy (copy.py:3) began",
        "2026-07-01 12:00:00.000000 INFO copy began",
        "\nTraceback\nValueError",
    ]


def test_any_value_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    odd = {"large": 2**70, "half": "\udcff", "at": NOON}
    console.print_json(odd)
    assert json.loads(capsys.readouterr().out) == {**odd, "at": str(NOON)}
    assert json.loads(console.json_line(odd))["large"] == 2**70


def test_progress_without_a_number_is_shown() -> None:
    lines = list(console.run_lines({**RUN, "progress": {"part": {"done": None, "total": None, "note": "begun"}}}))
    assert "progress  part:  begun" in lines
