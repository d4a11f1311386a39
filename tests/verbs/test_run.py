"""The verb `run`: its line, its exit code, and how it is stopped."""

import re
import signal
import time

import pytest

from tests.command_line import CommandLine, wait_for
from tests.verbs.house import LABWHERE, in_terminal, is_running, recorded


@pytest.mark.parametrize(
    "job, code, outcome, text",
    [
        ("count", 0, "succeeded", r"count succeeded in \d+\.\d\d s: checked=7 inserted=5 \(run 1\)"),
        ("fail", 1, "failed", r"fail failed: ValueError: cannot use it \(run 1; `janitor show 1` has the .*\)"),
        ("decline", 3, "skipped", r"decline skipped: there is nothing new \(run 1\)"),
        ("overrun", 4, "timed_out", r"overrun timed out: over its timeout of 0.3 s \(run 1; .*\)"),
    ],
)
def test_run_ends_with_one_line_and_a_code(house: CommandLine, job: str, code: int, outcome: str, text: str) -> None:
    ended = house("run", job)
    assert ended.code == code
    assert len(ended.lines) == 1 and re.fullmatch(text, ended.lines[0])
    assert "Traceback" not in ended.out + ended.err
    assert recorded(house, "SELECT outcome, origin, slot_at FROM runs") == [(outcome, "by_hand", None)]
    assert recorded(house, "SELECT holder FROM leases WHERE holder IS NOT NULL") == []


def test_a_disabled_job_can_be_run_by_hand(house: CommandLine) -> None:
    assert house("run", "count", COUNT_ENABLED="false").code == 0


def test_a_dry_run_says_so_and_writes_nothing(house: CommandLine) -> None:
    ended = house("run", "count", "--dry-run")
    assert ended.code == 0 and " (dry run): checked=7" in ended.out
    assert house("quarantine").rows == []
    assert house("show", "1", "--json").json["dry_run"] == 1


def test_ctrl_c_cancels_a_run_at_a_safe_point(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        wait_for(lambda: is_running(house, "walk"))
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 5
    assert re.fullmatch(r"walk cancelled: stopped by anna with Ctrl-C \(run 1\)\n", ended.out)
    assert recorded(house, "SELECT outcome FROM runs") == [("cancelled",)]


def test_sigterm_interrupts_a_run_by_hand(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        wait_for(lambda: is_running(house, "walk"))
        ended = house.stopped(process)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome FROM runs") == [("interrupted",)]


def test_a_second_ctrl_c_ends_a_run_at_once(house: CommandLine) -> None:
    with house.started("run", "stick") as process:
        wait_for(lambda: is_running(house, "stick"))
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome, reason FROM runs") == [
        ("interrupted", "it was ended at once, by a second signal")
    ]


def test_run_shows_a_bar_and_one_line_in_a_terminal(house: CommandLine) -> None:
    text, code = in_terminal(house, "run", "walk", interrupt_after="walking")
    assert code == 5
    assert "/600" in text
    assert text.strip().splitlines()[-1].endswith("walk cancelled: stopped by anna with Ctrl-C (run 1)")


def test_run_says_that_the_state_database_is_away(house: CommandLine) -> None:
    ended = house("run", "count", STATE_DATABASE_URL=LABWHERE)
    assert ended.code == 1 and ended.out == ""
    assert re.fullmatch(r"janitor: 127\.0\.0\.1:1/labwhere cannot be reached: .*\n", ended.err)
