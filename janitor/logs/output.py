"""The handler that writes log lines to the output; a line that it cannot write is lost, and that is said once."""

import logging
import sys
from typing import TextIO

from janitor.errors import summary
from janitor.logs.outlet import say_that_lines_are_lost


class Output(logging.StreamHandler[TextIO]):
    """A StreamHandler that complains once. Python's own prints a traceback for each line that it cannot write."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is written yet."""
        super().__init__(stream)
        self._said = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once that lines are lost, and why; other errors are bugs, and Python tells them."""
        error = sys.exception()
        if not isinstance(error, (OSError, ValueError)):
            super().handleError(record)
        elif not self._said:
            self._said = True
            say_that_lines_are_lost(summary(error))
