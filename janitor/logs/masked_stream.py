"""A stream whose lines are masked, for processes that have no other way to a log."""

import contextlib
from typing import TextIO

from janitor.logs.mask import Mask
from janitor.logs.stand_in import Gathering


class MaskedStream(Gathering):
    """Stands in for a stream: what is printed is written there line by line, without secrets."""

    def __init__(self, mask: Mask, stream: TextIO) -> None:
        """Nothing is printed yet."""
        super().__init__(stream)
        self._mask = mask

    def give(self, text: str) -> None:
        """Write what was printed; a stream that takes nothing loses it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(self._mask(text))
