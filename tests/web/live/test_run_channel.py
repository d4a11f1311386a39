"""The channel of a run: what it keeps for those who watch, and when the run has ended for them."""

import json

import pytest

from janitor.runs import Outcome
from janitor.state import State, log_lines, run_records
from janitor.state.log_lines import LogLine
from janitor.state.run_records import BY_HAND, Ending
from janitor.web.live import run_channel
from janitor.web.live.run_channel import KEPT_LINES, RunChannel, lines_after
from tests.small_engine import now


def begun(state: State) -> int:
    """A run that goes on."""
    with state.begin() as connection:
        return run_records.start(connection, "tick", BY_HAND, None, now(), False, "lab-2|boot|pid|4711|1|abc")


def says(state: State, run: int, *messages: str) -> None:
    """Let a run log some lines."""
    with state.begin() as connection:
        log_lines.add(connection, [LogLine(run, now(), "INFO", "tick", message) for message in messages])


def looked(state: State, channel: RunChannel) -> bool:
    """Look once; whether anything differs."""
    with state.read() as connection:
        found = channel.read(connection)
    return channel.take(found)


def kept(channel: RunChannel, position: int) -> list[str] | None:
    """The messages that are kept after a position."""
    lines = channel.kept_after(position)
    return None if lines is None else [json.loads(line)["message"] for _, line in lines]


def test_lines_from_before_the_first_look_are_not_kept(state: State) -> None:
    run = begun(state)
    channel = RunChannel(run)
    assert kept(channel, 0) is None
    says(state, run, "one", "two")
    assert looked(state, channel) and not looked(state, channel)
    assert channel.lines_after is not None and kept(channel, channel.lines_after) == []
    says(state, run, "three", "four")
    assert looked(state, channel) and not looked(state, channel)
    assert kept(channel, channel.lines_after) == ["three", "four"] and kept(channel, channel.lines_after - 1) is None
    assert kept(channel, channel.lines_after + 1) == ["four"]


def test_progress_is_told_if_it_differs(state: State) -> None:
    run = begun(state)
    channel = RunChannel(run)
    assert looked(state, channel) and channel.progress == b""
    for done, differs in ((1, True), (1, False), (2, True)):
        with state.begin() as connection:
            run_records.save_progress(connection, run, json.dumps({"": {"done": done, "total": 4}}))
        assert looked(state, channel) is differs
    assert json.loads(channel.progress)["share"] == 0.5 and json.loads(channel.run)["outcome"] == "running"


def test_only_the_newest_lines_are_kept(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_channel, "KEPT_LINES", 3)
    run = begun(state)
    channel = RunChannel(run)
    looked(state, channel)
    says(state, run, "one", "two", "three", "four")
    looked(state, channel)
    assert KEPT_LINES > 3 and len(channel.lines) == 3 and kept(channel, 0) is None
    assert channel.lines_after is not None and kept(channel, channel.lines_after) == ["two", "three", "four"]


def test_a_run_has_ended_once_its_last_lines_are_here(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_channel, "MOST_LINES", 2)
    run = begun(state)
    channel = RunChannel(run)
    looked(state, channel)
    says(state, run, "one", "two", "three")
    with state.begin() as connection:
        run_records.finish(connection, run, Ending(Outcome.FAILED, "it broke", now(), 2.5, {}))
    assert looked(state, channel) and not channel.has_ended
    assert looked(state, channel) and channel.has_ended and channel.is_over
    assert json.loads(channel.run)["reason"] == "it broke"
    with state.read() as connection:
        assert [json.loads(line)["message"] for _, line in lines_after(connection, run, 0)] == ["one", "two"]


def test_a_run_that_is_deleted_is_over(state: State) -> None:
    channel = RunChannel(77)
    assert looked(state, channel) and channel.is_over and channel.has_ended
    with state.read() as connection:
        assert lines_after(connection, 77, 0) == []
