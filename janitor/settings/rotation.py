"""Secrets that change while the process runs: those in files that `<NAME>_FILE` names.

    the start     reads each file, and refuses a value that cannot be right
    each login    reads the file again: its user and password are those that the file holds now
                  if they cannot be right, they are those of the login before: somebody writes the file just now

So a password may be rotated without a restart: put the new one into the file, whether before or after the server knows
it. Connections that are open go on.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from janitor.errors import BadSetting
from janitor.settings.sources import ENDINGS, from_files

log = logging.getLogger(__name__)


class Rotation:
    """The files of variables, read again whenever somebody asks."""

    def __init__(self, variables: Mapping[str, str] | None = None, folder: Path = Path()) -> None:
        """`variables` are those of the start, what came from files among them; relative paths begin in `folder`."""
        self._variables, self._folder = dict(variables or {}), folder
        self._told: dict[str, str] = {}
        self._taken: dict[str, str] = {}

    @property
    def names(self) -> Sequence[str]:
        """The variables whose value comes from a file."""
        named = [name.removesuffix("_FILE") for name in self._variables if name.endswith("_FILE")]
        return [name for name in named if name in self._variables or name.endswith(ENDINGS)]

    def text(self, name: str) -> str | None:
        """What the file of a variable holds now; None if it has no file, or if that cannot be read."""
        path = self._variables.get(f"{name}_FILE")
        if path is None:
            return None
        try:
            return from_files({f"{name}_FILE": path}, [name], self._folder)[name]
        except BadSetting as exc:
            self.tell(name, str(exc))
            return None

    def last(self, name: str) -> str | None:
        """What was taken last from the file of a variable; None if that is what it held at the start."""
        return self._taken.get(name)

    def take(self, name: str, text: str) -> bool:
        """Take what the file of a variable holds; whether it is another value than the last, which is told."""
        self._told.pop(name, None)
        if text == self._taken.get(name, self._variables.get(name)):
            return False
        self._taken[name] = text
        log.info("%s has changed in its file: new logins use what it holds now", name)
        return True

    def tell(self, name: str, problem: str) -> None:
        """Log once why the value of before is used, though the file may hold another."""
        if self._told.get(name) != problem:
            self._told[name] = problem
            log.warning("%s stays as it was: %s", name, problem)
