"""Forked children: a task may fork, with `multiprocessing` or by itself; its child has nothing of the daemon's.

    the daemon's process                     a child that a task forks
    a socket, told to `keep_from_children`   is open on /dev/null: what is sent there reaches nobody
    a signal taken inside `signals_taken`    is handled as before the block
    what is given to `anew_in_children`      begins anew: threads that hold its locks are not there
    code inside `EndsHereInChildren`         ends the child: only the daemon records how the run ended

A file descriptor is not closed but opened anew on /dev/null: an object of the parent may close its number later.
It is closed if the limit of descriptors leaves no other way.
`subprocess` is not concerned: its children begin another program, which gets none of this.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

Owner = TypeVar("Owner")
Handler = Callable[[int, FrameType | None], object]

_descriptors: "WeakKeyDictionary[Any, Callable[[Any], Iterable[int]]]" = WeakKeyDictionary()
_anew: "WeakKeyDictionary[Any, Callable[[Any], None]]" = WeakKeyDictionary()
_taken: dict[int, tuple[Handler, Any]] = {}
_masks = threading.local()
"""The signals that the forking thread had blocked before."""


def keep_from_children(owner: Owner, descriptors: Callable[[Owner], Iterable[int]]) -> Owner:
    """Let no child have the file descriptors of `owner`, which `descriptors` tells at each fork; gives the owner."""
    _descriptors[owner] = descriptors
    return owner


def anew_in_children(owner: Owner, begin: Callable[[Owner], None]) -> None:
    """Let each child begin with `owner` anew: `begin` is called with it there, before anything else uses it."""
    _anew[owner] = begin


@contextmanager
def signals_taken(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Handle signals during a block; a child that is forked meanwhile handles them as before the block.

    Call it in the main thread.
    """
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    outside = dict(_taken)
    _taken.update({number: (handlers[number], before) for number, before in previous.items()})
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
            del _taken[number]
        _taken.update({number: outside[number] for number in previous if number in outside})


class EndsHereInChildren:
    """A block in which a task may fork: its child ends at the block's end, as a program of its own would."""

    def __enter__(self) -> None:
        """Begin the block."""
        self._pid = os.getpid()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the block; in a child, end the process."""
        if os.getpid() != self._pid:
            _end(0 if error is None else _code_of(error))


def _code_of(error: BaseException) -> int:
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return (error.code or 0) & 0xFF
    traceback.print_exception(error)
    return 1


def _end(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _before() -> None:
    """Let a signal that comes to the child too early wait until the child handles it in its own way."""
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, list(_taken))


def _in_parent() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _in_child() -> None:
    try:
        for owner, begin in list(_anew.items()):
            begin(owner)
        _lead_nowhere(_kept_descriptors())
    finally:
        for number, (handler, before) in _taken.items():
            if signal.getsignal(number) == handler:
                signal.signal(number, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _kept_descriptors() -> list[int]:
    found: list[int] = []
    for owner, descriptors in list(_descriptors.items()):
        with suppress(OSError, ValueError, AttributeError):
            found.extend(number for number in descriptors(owner) if number >= 0)
    return found


def _lead_nowhere(kept: list[int]) -> None:
    for number in kept[:1]:  # first, so that there is room for /dev/null at the limit of descriptors too
        _close(number)
    nowhere = _nowhere()
    for number in kept:
        try:
            if nowhere is None:
                os.close(number)
            elif number != nowhere:
                os.dup2(nowhere, number, inheritable=False)
        except OSError:  # the limit is below the number
            _close(number)
    if nowhere is not None and nowhere not in kept:
        os.close(nowhere)


def _nowhere() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDWR)
    except OSError:
        return None


def _close(number: int) -> None:
    with suppress(OSError):
        os.close(number)


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
