"""A run is followed until it ends or is deleted: each line of its log is printed once, in order."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.runs import Outcome
from janitor.state import State, log_lines, retention, run_records
from janitor.state.log_lines import LogLine
from janitor.state.run_records import Ending
from janitor.terminal import follow_run
from tests.small_engine import eventually, migrated
from tests.state.history import NOW, begin


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    yield made
    made.close()


def say(state: State, run_id: int, *messages: str) -> None:
    """Add lines to a run's log."""
    with state.begin() as connection:
        log_lines.add(connection, [LogLine(run_id, NOW, "INFO", "copy", message) for message in messages])


def end(state: State, run_id: int) -> None:
    with state.begin() as connection:
        run_records.finish(connection, run_id, Ending(Outcome.SUCCEEDED, None, NOW, 1.0))


def told(out: str) -> list[str]:
    """The messages of the lines that were printed."""
    return [line.rpartition(" ")[2] for line in out.splitlines()]


def test_a_long_log_of_an_ended_run_is_printed_whole(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    run_id, messages = begin(state), [str(number) for number in range(2 * follow_run.LINES)]
    say(state, run_id, *messages)
    end(state, run_id)
    follow_run.follow(state, run_id)
    assert told(capsys.readouterr().out) == messages


@pytest.mark.parametrize("deleted", [False, True])
def test_a_run_is_followed_until_its_end(
    deleted: bool, state: State, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run that goes on, with one line in its log, and somebody who follows it.
    # What happens: it logs a second line. Then it ends, or is deleted.
    # What must hold: following ends by itself; both lines were printed, each once.
    monkeypatch.setattr(follow_run, "LOOK_SECONDS", 0.01)
    run_id, printed = begin(state), list[str]()

    def printed_until(last: str) -> bool:
        printed.extend(told(capsys.readouterr().out))
        return last in printed

    say(state, run_id, "first")
    follower = threading.Thread(target=follow_run.follow, args=(state, run_id))
    follower.start()
    eventually(lambda: printed_until("first"))
    say(state, run_id, "second")
    eventually(lambda: printed_until("second"))
    assert follower.is_alive()
    if deleted:
        with state.begin() as connection:
            retention.remove(connection, [run_id])
    else:
        end(state, run_id)
    follower.join(30)
    assert not follower.is_alive() and printed + told(capsys.readouterr().out) == ["first", "second"]


def test_a_run_that_is_not_there_is_not_followed(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    follow_run.follow(state, 77)
    assert capsys.readouterr().out == ""
