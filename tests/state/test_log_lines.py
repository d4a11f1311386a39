"""Log lines of a run are read in order, and in parts."""

from janitor.state import State, log_lines
from janitor.state.log_lines import LogLine
from tests.state.history import MINUTE, NOW, begin


def test_a_log_is_read_in_order_and_in_parts(state: State) -> None:
    first, second = begin(state, "a"), begin(state, "b")
    lines = [LogLine(first, NOW + MINUTE * n, "INFO", "x", f"line {n}") for n in range(5)]
    with state.begin() as connection:
        log_lines.add(connection, lines)
        log_lines.add(connection, [LogLine(second, NOW, "INFO", "x", "other")])
        log_lines.add(connection, [])
        rows = log_lines.of_run(connection, first, limit=3)
        assert [row.message for row in rows] == ["line 0", "line 1", "line 2"]
        assert [row.message for row in log_lines.of_run(connection, first, after=rows[-1].id)] == ["line 3", "line 4"]
        assert rows[1].at == NOW + MINUTE
