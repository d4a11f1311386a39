"""The handler of the output: a stream that takes nothing is told once, not with a traceback for each line."""

import io
import logging

import pytest

from janitor.logs.output import Output


class Refusing(io.StringIO):
    """A stream without a descriptor, which takes nothing."""

    def write(self, text: str) -> int:
        """Fail, as a terminal that is gone does."""
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("closed", [True, False])
def test_what_cannot_be_written_is_told_once(closed: bool, capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO() if closed else Refusing()
    output = Output(stream)
    if closed:
        stream.close()
    for number in range(3):
        output.handle(logging.makeLogRecord({"msg": "line %s", "args": (number,)}))
    told = capfd.readouterr().err
    assert told.startswith("janitor: log lines are lost here: ") and told.count("\n") == 1, told
    assert ("ValueError" if closed else "OSError") in told


def test_a_line_that_cannot_be_made_is_told_by_python(capfd: pytest.CaptureFixture[str]) -> None:
    Output(io.StringIO()).handle(logging.makeLogRecord({"msg": "line %d", "args": ("one",)}))
    assert "TypeError" in capfd.readouterr().err
