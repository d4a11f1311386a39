"""What a process has once, and a task may change for all others: read when this is made, and put back later.

Not looked at, since it harms nobody else: `os.environ` and `TZ` (settings are read at the start, instants are UTC),
`decimal`'s context (each thread has its own), `random.seed`, `faulthandler`, `sys.path`. Signals are safe in a thread:
Python lets only the main thread take them.
"""

import gc
import locale
import os
import re
import resource
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from janitor.logs.outlet import double
from janitor.logs.printed import Printed

LIMITS = {name: getattr(resource, name) for name in ("RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_CPU")}
UNFIT = (OSError, ValueError, RuntimeError, locale.Error)
"""What is raised if a value cannot be written."""
FOLDER = "the working folder"
_UMASK = re.compile(rb"^Umask:\s*([0-7]+)", re.MULTILINE)


class Stays(str):
    """The name of what was changed, if it cannot be put back."""

    def __repr__(self) -> str:
        """Unlike the name of what is put back."""
        return f"Stays({super().__repr__()})"


class KeptValues:
    """Values that are put back as they were; one that cannot be is taken as it is now."""

    def __init__(self, values: "Values") -> None:
        """Read them as they are now."""
        self._values, self._known = values, {what: read() for what, read, _ in values}

    def put_back(self) -> Iterator[str]:
        """Put back what was changed."""
        for what, read, write in self._values:
            before = self._known[what]
            if read() == before:
                continue
            with suppress(*UNFIT):
                write(before)
            self._known[what] = read()
            yield what if self._known[what] == before else Stays(what)


class Interpreter:
    """What is put back at once, since nobody needs it otherwise: how threads are started, and how Python goes on."""

    def __init__(self) -> None:
        """Read it as it is now."""
        self._recursion, self._collects = sys.getrecursionlimit(), gc.isenabled()
        self._values = KeptValues(_OF_INTERPRETER)
        self._folder = _folder()

    def put_back(self) -> Iterator[str]:
        """Put back what was changed; a higher limit of recursion stays."""
        # First: a thread that was started with a function that raises does nothing at all.
        yield from self._values.put_back()
        if sys.getrecursionlimit() < self._recursion:
            with suppress(RecursionError):  # this thread is too deep for it now; the next look is another thread's
                sys.setrecursionlimit(self._recursion)
                yield "sys.setrecursionlimit"
        if self._collects and not gc.isenabled():
            gc.enable()
            yield "gc.disable"
        # It is gone, so nobody needs it; without a folder, no process can be started.
        if self._folder and not _folder():
            with suppress(OSError):
                os.chdir(self._folder)
                yield FOLDER


class Process:
    """What is put back once no run goes on that may mean it so; `doubles` are of descriptors 0 to 2."""

    def __init__(self, stdout: Printed, stderr: Printed) -> None:
        """Read it as it is now, and take over the streams."""
        self._streams = {"stdout": stdout, "stderr": stderr}
        for name, stream in self._streams.items():
            setattr(sys, name, stream)
        self._values = KeptValues(_OF_PROCESS)
        self._strict = _strict_filters()
        self.doubles = {number: double(number) for number in range(3) if _is_open(number)}

    def put_back_streams(self) -> Iterator[str]:
        """Put back, at once, streams to which nobody can print: a run has closed what it put there, or left nothing."""
        for name, stream in self._streams.items():
            if not hasattr(sys, name) or getattr(getattr(sys, name), "closed", False):
                setattr(sys, name, stream)
                yield f"sys.{name}"

    def put_back(self) -> Iterator[str]:
        """Put back what was changed."""
        for name, stream in self._streams.items():
            if getattr(sys, name, None) is not stream:
                setattr(sys, name, stream)
                yield f"sys.{name}"
        yield from self._values.put_back()
        if new := [one for one in _strict_filters() if one not in self._strict]:
            warnings.filters[:] = [one for one in warnings.filters if one not in new]  # type: ignore[index]
            yield "a filter that makes errors of warnings"
        for number in [number for number in self.doubles if not _is_open(number)]:
            what = f"file descriptor {number}"
            try:
                os.dup2(self.doubles[number], number)
                yield what
            except OSError:  # whoever closes all descriptors closes the double too
                del self.doubles[number]
                yield Stays(what)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _folder() -> str:
    """The working folder; empty if it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _strict_filters() -> list[Any]:
    return [one for one in warnings.filters if one[0] == "error"]


def _umask() -> int:
    """The umask; only Linux tells it without changing it, and elsewhere it is not looked at."""
    try:
        status = os.open("/proc/self/status", os.O_RDONLY)
    except OSError:
        return -1
    text = os.read(status, 200)
    os.close(status)
    found = _UMASK.search(text)
    return int(found[1], 8) if found else -1


def _limit(number: int) -> tuple[Callable[[], int], Callable[[int], None]]:
    """How to read and to write the soft limit of a resource."""
    return (
        lambda: resource.getrlimit(number)[0],
        lambda soft: resource.setrlimit(number, (soft, resource.getrlimit(number)[1])),
    )


Values = Sequence[tuple[str, Callable[[], Any], Callable[[Any], object]]]
"""What can be read and written: its name, how to read it, how to write it."""
_OF_INTERPRETER: Values = [
    ("threading.settrace", threading.gettrace, threading.settrace),
    ("threading.setprofile", threading.getprofile, threading.setprofile),
    ("threading.stack_size", threading.stack_size, threading.stack_size),
    ("gc.set_threshold", gc.get_threshold, lambda before: gc.set_threshold(*before)),
    ("sys.setswitchinterval", sys.getswitchinterval, sys.setswitchinterval),
    # Without it no thread can be started.
    ("sys.excepthook", lambda: sys.excepthook, lambda before: setattr(sys, "excepthook", before)),
]
_OF_PROCESS: Values = [
    # First: under a limit that is too low nothing else can be read, and would be taken for changed.
    *((f"resource.{name}", *_limit(number)) for name, number in LIMITS.items()),
    (FOLDER, _folder, os.chdir),
    ("umask", _umask, os.umask),
    ("socket.setdefaulttimeout", socket.getdefaulttimeout, socket.setdefaulttimeout),
    (
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda before: locale.setlocale(locale.LC_ALL, before),
    ),
    ("warnings.showwarning", lambda: warnings.showwarning, lambda before: setattr(warnings, "showwarning", before)),
]
