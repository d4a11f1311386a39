"""What the demo prints: the lab's deeds on the left, Janitor's on the right."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rich.console import Console, OverflowMethod
from rich.markup import escape

from janitor.demo.deeds import Deed
from janitor.demo.place import Place

PIPE_WIDTH = 120
TWO_COLUMNS = 110
"""Both columns need a terminal at least this wide."""


class Screen:
    """A console with two columns, if it is a wide terminal; otherwise with a small indent."""

    def __init__(self) -> None:
        """Write to stdout."""
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)

    def show_deed(self, deed: Deed) -> None:
        """Show what the lab did."""
        self._line(0, "·", deed.words, "red" if deed.kind == "broken rows" else "default")

    def show_outage(self, words: str) -> None:
        """Show that the broker goes away or is back; nothing for an empty text."""
        if words:
            self._line(0, "·", words, "red" if words.endswith("away") else "default")

    def show_news(self, done: Iterable[str], notices: Iterable[str]) -> None:
        """Show what Janitor did, and the notices that came."""
        right = self.console.width // 2 - 14
        for line in done:
            self._line(right, "→", line, "yellow" if line.startswith(("quarantine", "run ")) else "green")
        for line in notices:
            self._line(right, "✉", line, "magenta")

    def show_where_to_look(self, place: Place) -> None:
        """Show where the demo's files are, and the command that lists the history."""
        state = place.url("state").render_as_string()
        self.console.print(f"\nAll of it is kept in {short(place.folder)} until the next demo. Its history, for one:")
        self.console.print(f"  STATE_DATABASE_URL={state} {short(Path(sys.executable))} run.py history", soft_wrap=True)

    def _line(self, indent: int, mark: str, words: str, color: str) -> None:
        if not self.console.is_terminal or self.console.width < TWO_COLUMNS:
            indent = min(indent, 6)
        clock = datetime.now().strftime("%H:%M:%S")
        line = f"[dim]{clock}[/] {' ' * indent}{mark} [{color}]{escape(words)}[/]"
        cut: OverflowMethod = "ellipsis" if self.console.is_terminal else "ignore"
        self.console.print(line, no_wrap=True, overflow=cut, crop=self.console.is_terminal)


def short(path: Path) -> str:
    """Write a path relative to the current folder, if it is inside."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
