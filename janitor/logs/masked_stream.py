"""A stream whose lines are masked, for processes that have no other way to a log."""

import contextlib
from typing import TextIO

from janitor.logs.mask import Mask
from janitor.logs.stand_in import StandIn

MOST_UNWRITTEN = 10_000
"""So many characters without an end of line are written all the same."""


class MaskedStream(StandIn):
    """Stands in for a stream: what is printed is written there line by line, without secrets."""

    def __init__(self, mask: Mask, stream: TextIO) -> None:
        """Nothing is printed yet."""
        super().__init__(stream)
        self._mask, self._text = mask, ""

    def write(self, text: str) -> int:
        """Print; whole lines are written at once."""
        self._text += text
        if "\n" in text or len(self._text) > MOST_UNWRITTEN:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Write what was printed."""
        text, self._text = self._text, ""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(self._mask(text))
            self._stream.flush()
