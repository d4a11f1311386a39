"""The files that a jobs file is made of: where they lie, and their texts, whatever lies there.

    current/jobs.yaml                        the path, as it was given
        └─ a link to ──> releases/7/lab.yaml     the file that it leads to
    {% include "x.yaml" %}                   current/x.yaml, or else releases/7/x.yaml

The jobs file itself is read by its own path, and never looked for: another file of its name is another file.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

MOST_BYTES = 2_000_000
"""A larger file was not written by a person."""
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class NotReadable(Exception):
    """Raised when a path leads to no text; its text says why, and what would be right."""


def folders_of(path: Path) -> Sequence[Path]:
    """The folders in which the files are that a jobs file includes, and the modules that it names."""
    given, real = os.path.abspath(path), os.path.realpath(path)
    return tuple(dict.fromkeys((Path(given).parent, Path(real).parent)))


def text_of(path: Path) -> str:
    """The text of a file, with `\\n` at the end of each line.

    Raises:
        NotReadable: it is no file, cannot be read, is too large, or is no UTF-8.
    """
    try:
        # A pipe that nobody writes to would let a plain open wait for ever.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise NotReadable(f"it is {_kind(mode)}; give the path of a file")
            found = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or type(exc).__name__
        raise NotReadable(f"it cannot be read ({why}); give another path") from exc
    if len(found) > MOST_BYTES:
        raise NotReadable(f"it has more than {MOST_BYTES:,} bytes; give a jobs file")
    try:
        text = found.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise NotReadable(f"it is not UTF-8 (byte {exc.start}); save it as UTF-8") from exc
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _kind(mode: int) -> str:
    return next((name for is_one, name in KINDS if is_one(mode)), "no file")
