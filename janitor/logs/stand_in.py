"""What stands in for `sys.stdout` or `sys.stderr`: it takes what is printed, and is else as the stream itself."""

import contextlib
import io
from abc import abstractmethod
from typing import Any, TextIO

MOST_GATHERED = 4_096
"""So many characters without an end of line are given on all the same."""


class StandIn(io.TextIOBase):
    """A text stream in front of another: a subclass takes the text. To be closed or detached means another stream."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is printed yet."""
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """What else streams have: `buffer`, `name`, `line_buffering`. Bytes for the buffer are no line of a log."""
        if name == "_stream":
            raise AttributeError(name)
        return getattr(self._stream, name)

    def close(self) -> None:
        """Stay open."""

    def reconfigure(self, **options: Any) -> None:
        """Stay as it is."""

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The stream's file descriptor."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """What the stream does with characters that it has not."""
        return self._stream.errors

    @property
    def newlines(self) -> Any:  # type: ignore[override]
        """The ends of lines that the stream has read: None."""
        return self._stream.newlines


class Gathering(StandIn):
    """Gives on what is printed, as soon as a line ends."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is printed yet."""
        super().__init__(stream)
        self._text = ""

    @abstractmethod
    def give(self, text: str) -> None:
        """Take what was gathered."""

    def write(self, text: str) -> int:
        """Print; whole lines are given on at once."""
        self._text += text
        if "\n" in text or len(self._text) > MOST_GATHERED:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Give on what was printed."""
        text, self._text = self._text, ""
        if text:
            self.give(text)
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
