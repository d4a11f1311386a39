"""Writing what was done: it is tried again while the state database is away, since its effects are there already."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection

from janitor.databases.errors import is_about_content, lost_a_race
from janitor.errors import Fenced, JanitorError, Unavailable, is_a
from janitor.items.handing import NOTHING, Handing
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


def in_turn(
    state: State, fences: Sequence[Fence], write: Callable[[Connection], Made], handing: Handing = NOTHING
) -> Made:
    """Write in one transaction; once more if another one has come in between, with the same keys for example.

    `handing` hands on what `write` makes ready, if the first try succeeds.

    Raises:
        Fenced: another process has taken a lease over; nothing is written.
        Unavailable, Rejected: the state database is away, or says no.
    """
    races = 0
    while True:
        try:
            with state.begin(*fences, *handing.fences) as connection:
                made = write(connection)
            handing.done()
            return made
        except JanitorError as exc:
            races += 1
            if not _may_be_for(exc, handing) and (races > RACES or not lost_a_race(exc)):
                raise
            handing.give_up()


def _may_be_for(error: JanitorError, handing: Handing) -> bool:
    """Whether it may be another run's lease that is lost: one that promised to take something."""
    return is_a(error, Fenced) and bool(handing.fences)


def written(state: State, run: Run, write: Write[Made], ends: Sequence[End], handing: Handing = NOTHING) -> Made:
    """Write in one transaction under the run's leases; what `write` returned.

    `handing` hands on what `write` makes ready, if the first try succeeds.

    What is done waits for a state database that is away, or says no: it may have failed over, or be full. An end that
    is refused for what it holds is written without its texts; one that had a result has failed then.

    Raises:
        Fenced: another process has taken the job over; nothing is written.
        Unavailable, Rejected: the state database has been away, or has said no, for too long.
    """
    until, races = time.monotonic() + TRY_SECONDS, 0
    while True:
        try:
            with state.begin(*run.fences.values(), *handing.fences) as connection:
                made = write(connection, ends)
            handing.done()
            return made
        except JanitorError as exc:
            is_theirs, is_over = _may_be_for(exc, handing), is_a(exc, Fenced)
            handing.give_up(is_in_doubt=is_a(exc, Unavailable) and not lost_a_race(exc))
            if is_over and not is_theirs:
                raise
            races += 1
            if is_theirs or (lost_a_race(exc) and races <= RACES):
                continue
            why = exc
        try:
            ends = _without_texts(state, run, write, ends, why)
        except JanitorError as exc:
            if not ends or is_about_content(exc) or time.monotonic() >= until:
                raise
            log.warning("what was done waits for the state database: %s", exc)
            threading.Event().wait(PAUSE_SECONDS)  # no `time.sleep`: it fails under libfaketime


def _without_texts(
    state: State, run: Run, write: Write[object], ends: Sequence[End], why: JanitorError
) -> Sequence[End]:
    """The ends, those that the state database refuses without the texts that they brought.

    Raises:
        JanitorError: as given, if it is not for these texts; or the state database is away.
    """
    if not is_about_content(why) or not any(map(_has_texts, ends)):
        raise why
    refused = dict(_refused(state, run, write, ends, why))
    bare = [_bare(end, refused[end]) if end in refused else end for end in ends]
    if bare == list(ends):
        raise why
    return bare


def _refused(
    state: State, run: Run, write: Write[object], ends: Sequence[End], why: JanitorError
) -> Iterator[tuple[End, JanitorError]]:
    """The ends that the state database refuses, each with its words; all of them if it refuses them only together."""
    if len(ends) == 1:
        yield ends[0], why
        return
    alone = True
    for half in (ends[: len(ends) // 2], ends[len(ends) // 2 :]):
        try:
            with suppress(_Tried), state.begin(*run.fences.values()) as connection:
                write(connection, half)
                raise _Tried
        except JanitorError as exc:
            if not is_about_content(exc):
                raise
            alone = False
            yield from _refused(state, run, write, half, exc)
    if alone:
        yield from ((end, why) for end in ends)


class _Tried(Exception):
    """Raised to take back what was written only to see whether it can be."""


def _has_texts(end: End) -> bool:
    return bool(end.result or end.log or end.traceback)


def _bare(end: End, why: JanitorError) -> End:
    """An end without its texts."""
    bare = end._replace(log=None, traceback=None)
    if end.result is None:
        return bare
    reason = f"what it brought cannot be kept: {why}"
    return bare._replace(result=None, reason=reason, state=FAILED, status=FAILURE, told=FAILURE)
