"""A run watched from another process: its log and progress as they come, until it ends."""

import sys
import time
from contextlib import nullcontext

from janitor.state import State, log_lines, run_records
from janitor.state.progress import read
from janitor.terminal import console
from janitor.terminal.bars import bars

LOOK_SECONDS = 0.5
LINES = 1_000


def follow(state: State, run_id: int) -> None:
    """Print a run's log lines to stdout, and show its progress on a terminal, until it ends or is deleted."""
    last = 0
    # Bars would draw what is printed into the terminal, away from a pipe.
    with bars(f"run {run_id}") if sys.stdout.isatty() else nullcontext(lambda parts: None) as show:
        while True:
            with state.read() as connection:
                row = run_records.get(connection, run_id)
                lines = log_lines.of_run(connection, run_id, last, LINES)
            for line in lines:
                print(console.log_line(dict(line._mapping)), flush=True)
                last = line.id
            if row is None or (row.outcome is not None and len(lines) < LINES):
                return
            show(read(row.progress))
            if len(lines) < LINES:
                time.sleep(LOOK_SECONDS)
