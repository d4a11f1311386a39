"""`python -m janitor.demo`: the command line of the demo."""

import argparse
import fcntl
import signal
import sys
from pathlib import Path
from typing import IO

from janitor import databases
from janitor.demo.demo import Demo
from janitor.demo.inbox import open_inbox
from janitor.demo.place import LOCK, prepare
from janitor.demo.screen import Screen
from janitor.errors import JanitorError

WELL, NOT_WELL, CUT_OFF = 0, 1, 130


def main() -> int:
    """Run the demo until Ctrl-C, or for `--seconds`; return 0 if everything came out as it should."""
    arguments = _arguments()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    screen = Screen()
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as lock:
        if not _is_ours(lock):
            lock.seek(0)
            who = f"another demo, or its daemon (process {lock.read().strip() or 'unknown'}),"
            words = f"{who} is at work in {folder}: end it, or give another --folder"
            screen.console.print(words, soft_wrap=True)
            return NOT_WELL
        with open_inbox() as inbox:
            place, words = prepare(folder, inbox.url)
            screen.console.print(words)
            is_well = Demo(screen, place, inbox).run(lock, arguments.seconds, arguments.patience)
            return WELL if is_well else NOT_WELL


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./demo.sh", description="Janitor at work on a simulated lab.")
    parser.add_argument("--seconds", type=_seconds, help="end after so many seconds; on Ctrl-C without it")
    patience = "how long the daemon may take to catch up in the end: seconds (default: 45)"
    parser.add_argument("--patience", type=_seconds, default=45.0, help=patience)
    help_text = "where the demo keeps its databases and messages; emptied at the start (default: var/demo)"
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help=help_text)
    return parser.parse_args()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, like 15 or 2.5")
    return seconds


def _is_ours(lock: IO[str]) -> bool:
    """Lock the folder; return False if another process has the lock.

    The daemon inherits the lock: its folder is not emptied while it lives, even if its demo is gone.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = CUT_OFF
    except JanitorError as exc:
        print(f"the demo cannot go on: {exc}", file=sys.stderr)
        code = NOT_WELL
    finally:
        databases.dispose()
    sys.exit(code)
