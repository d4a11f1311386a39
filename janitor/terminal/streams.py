"""The standard streams of a command: they take any text, and what they do not take changes no outcome."""

import os
import sys
from contextlib import suppress

from janitor.logs.outlet import has_room

ROOM_SECONDS = 5.0
"""How long a report waits for the reader of a full pipe."""


def prepare() -> None:
    """Open each standard stream that is closed on /dev/null, and let stdout and stderr take characters they have not.

    A file or a connection would get the number of a closed stream, and with it what is printed.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        try:
            getattr(sys, name).reconfigure(errors="backslashreplace")
        except AttributeError:
            pass  # another program has put its own stream there
        except OSError:  # what the front door has printed while it was imported has no reader
            give_up(name)


def report(text: str) -> None:
    """Print to stdout what has happened; if stdout does not take it, tell it on stderr."""
    try:
        if not has_room(sys.stdout.fileno(), ROOM_SECONDS):
            raise OSError("nobody reads it")
        print(text, flush=True)
    except (OSError, ValueError) as exc:
        complain(f"stdout takes nothing ({exc}): {text}")
        give_up()


def complain(text: str) -> None:
    """Print a sentence to stderr, if anybody is there to read it."""
    with suppress(OSError, ValueError):
        print(f"janitor: {text}", file=sys.stderr, flush=True)


def finish() -> None:
    """Write what is left, at the end of a command whose outcome is known already."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            give_up(name)


def give_up(name: str = "stdout") -> None:
    """Let stdout or stderr take everything, and lose it: Python would complain at its end of what is left."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, getattr(sys, name).fileno())
        os.close(nowhere)
