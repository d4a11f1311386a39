"""A run's log, in stretches."""

from typing import Any

from janitor.state import State, log_lines
from janitor.state.log_lines import LogLine
from janitor.web.queries.logs import log_of
from tests.web.queries.past import NOON, add, ask


def test_a_log_comes_in_stretches(state: State) -> None:
    run_id, other = add(state, "a", 0, None), add(state, "a", 1)
    with state.begin() as connection:
        lines = [
            LogLine(run_id, NOON, "WARNING" if number == 2 else "INFO", "x", f"line {number}") for number in range(5)
        ]
        log_lines.add(connection, [*lines, LogLine(other, NOON, "INFO", "x", "other")])

    def texts(*arguments: Any, **more: Any) -> tuple[list[str], bool, bool]:
        found = ask(state, log_of, *arguments, **more)
        return [line.message for line in found.lines], found.more, found.ended

    first = ask(state, log_of, run_id, 0, 3)
    assert [line.message for line in first.lines] == ["line 0", "line 1", "line 2"] and first.more
    assert texts(run_id, first.next_after, 3) == (["line 3", "line 4"], False, False)
    assert texts(run_id, 0, 2, tail=True) == (["line 3", "line 4"], False, False)
    assert texts(run_id, least="WARNING") == (["line 2"], False, False)
    assert texts(other) == (["other"], False, True)
    assert ask(state, log_of, other, 10**6).next_after == 10**6
    assert ask(state, log_of, other + 1) is None
