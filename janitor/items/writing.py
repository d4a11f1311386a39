"""Writing what was done: it is tried again while the state database is away, since its effects are there already."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from janitor.databases.errors import lost_a_race
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable
from janitor.runs import Fence, Run
from janitor.state import State
from janitor.state.item_endings import End
from janitor.state.item_states import FAILED, FAILURE

log = logging.getLogger(__name__)

TRY_SECONDS = 20.0
"""For so long what was done is tried to be recorded."""
PAUSE_SECONDS = 0.5
RACES = 5
Made = TypeVar("Made")
Write = Callable[[Connection, Sequence[End]], Made]


def in_turn(state: State, fences: Sequence[Fence], write: Callable[[Connection], Made]) -> Made:
    """Write in one transaction; once more if another one has come in between, with the same keys for example.

    Raises:
        Fenced: another process has taken a lease over; nothing is written.
        Unavailable, Rejected: the state database is away, or says no.
    """
    races = 0
    while True:
        try:
            with state.begin(*fences) as connection:
                return write(connection)
        except JanitorError as exc:
            races += 1
            if races > RACES or not lost_a_race(exc):
                raise


def written(state: State, run: Run, write: Write[Made], ends: Sequence[End]) -> Made:
    """Write in one transaction under the run's leases; what `write` returned.

    Raises:
        Fenced: another process has taken the job over; nothing is written.
        Unavailable, Rejected: the state database has been away for too long, or says no.
    """
    until, races = time.monotonic() + TRY_SECONDS, 0
    while True:
        try:
            with state.begin(*run.fences.values()) as connection:
                return write(connection, ends)
        except Fenced:
            raise
        except JanitorError as exc:
            races += 1
            if lost_a_race(exc) and races <= RACES:
                continue
            if not isinstance(exc, Unavailable) or not ends or time.monotonic() >= until:
                return _without_texts(state, run, write, ends, exc)
            log.warning("what was done waits for the state database: %s", exc)
            threading.Event().wait(PAUSE_SECONDS)  # no `time.sleep`: it fails under libfaketime


def _without_texts(state: State, run: Run, write: Write[Made], ends: Sequence[End], why: JanitorError) -> Made:
    """Write what can be written of ends that the state database refuses for what they hold.

    Raises:
        Unavailable, Rejected: it is not for what they hold.
    """
    if not isinstance(why, Rejected) or not any(end.result or end.log or end.traceback for end in ends):
        raise why
    reason = f"what it brought cannot be kept: {why}"
    empty = {"log": None, "traceback": None}
    failed = {**empty, "result": None, "reason": reason, "state": FAILED, "status": FAILURE, "told": FAILURE}
    bare = [end._replace(**(empty if end.result is None else failed)) for end in ends]
    with state.begin(*run.fences.values()) as connection:
        return write(connection, bare)
