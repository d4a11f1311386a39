"""A terminal that keeps what is written to it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is, as far as anybody can tell."""
        return True


@contextmanager
def screen() -> Iterator[Screen]:
    """A terminal of 160 columns, which is stdout and stderr for the length of a block."""
    made = Screen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "160")
        patch.setattr("sys.stdout", made)
        patch.setattr("sys.stderr", made)
        yield made
