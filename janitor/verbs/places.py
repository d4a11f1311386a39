"""Where in the user's own code something went wrong: what a sentence ends with, so that nobody has to look for it."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.errors import BadSetting
from janitor.settings.paths import shown

HOUSE = Path(__file__).parents[1]
_REFUSES = "__post_init__"
"""The function in which each part, such as a way of replying, refuses what it cannot work with."""


def place_of(error: BaseException) -> str:
    """The last line of the user's own code that an error came by, in brackets; empty if it came by none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return f" ({shown(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""


@contextmanager
def lines_of_parts_told() -> Iterator[None]:
    """In a block that calls the user's code: tell the line in which a part was made that cannot work.

    Raises:
        BadSetting: as the block raised it, with the line.
    """
    try:
        yield
    except BadSetting as exc:
        frames = traceback.extract_tb(exc.__traceback__)
        if type(exc) is not BadSetting or not any(frame.name == _REFUSES for frame in frames):
            raise
        raise BadSetting(exc.name, exc.value, f"{exc.expected}{place_of(exc)}") from exc


def _is_users(file: str) -> bool:
    if file.startswith(f"{HOUSE / 'tasks'}{os.sep}"):
        return True
    return not file.startswith((f"{HOUSE}{os.sep}", sys.prefix, sys.base_prefix, "<"))
