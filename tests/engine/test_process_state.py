"""What a process has once: changed by a task, it is put back as it was."""

import gc
import locale
import os
import resource
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest

from janitor.engine.process_state import Interpreter, KeptValues, Process
from janitor.logs.outlet import FIRST_OWN
from janitor.logs.printed import Printed


@contextmanager
def kept() -> Iterator[Process]:
    """The state of this process, kept during a block."""
    out, err = sys.stdout, sys.stderr
    with warnings.catch_warnings():
        yield Process(*(Printed(stream, "stdout", lambda record: None) for stream in (out, err)))
    sys.stdout, sys.stderr = out, err


def lower_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def replace_stdout() -> None:
    sys.stdout = StringIO()


def umask_now() -> int:
    now = os.umask(0o22)
    os.umask(now)
    return now


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "the working folder": (lambda: os.chdir("/"), os.getcwd),
    "umask": (lambda: os.umask(0o7), umask_now),
    "socket.setdefaulttimeout": (lambda: socket.setdefaulttimeout(0.5), socket.getdefaulttimeout),
    "resource.RLIMIT_NOFILE": (lower_files, lambda: resource.getrlimit(resource.RLIMIT_NOFILE)),
    "sys.stdout": (replace_stdout, lambda: sys.stdout),
    "file descriptor 0": (lambda: os.close(0), lambda: os.fstat(0).st_ino),
    "warnings.showwarning": (lambda: setattr(warnings, "showwarning", print), lambda: warnings.showwarning),
    "a filter that makes errors of warnings": (lambda: warnings.simplefilter("error"), lambda: list(warnings.filters)),
}


@contextmanager
def many_open() -> Iterator[None]:
    """More open files than `lower_files` allows."""
    opened = [os.dup(0) for _ in range(250)]
    try:
        yield
    finally:
        for one in opened:
            os.close(one)


def fail_at_once(*about: object) -> None:
    raise RuntimeError("none of your business")


OF_INTERPRETER: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "threading.settrace": (lambda: threading.settrace(fail_at_once), threading.gettrace),
    "threading.setprofile": (lambda: threading.setprofile(fail_at_once), threading.getprofile),
    "threading.stack_size": (lambda: threading.stack_size(1 << 46), threading.stack_size),
    "sys.excepthook": (lambda: setattr(sys, "excepthook", None), lambda: sys.excepthook),
    "gc.set_threshold": (lambda: gc.set_threshold(0), gc.get_threshold),
}


@pytest.mark.parametrize("what", OF_INTERPRETER)
def test_what_python_goes_on_with_is_put_back(what: str) -> None:
    change, read = OF_INTERPRETER[what]
    interpreter, before = Interpreter(), read()
    change()
    assert list(interpreter.put_back()) == [what]
    assert read() == before


def test_a_working_folder_that_is_gone_is_left_at_once(tmp_path: Path) -> None:
    interpreter, before = Interpreter(), os.getcwd()
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    assert list(interpreter.put_back()) == []
    (tmp_path / "gone").rmdir()
    assert list(interpreter.put_back()) == ["the working folder"]
    assert os.getcwd() == before and list(interpreter.put_back()) == []


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_put_back_and_told(what: str) -> None:
    change, read = CHANGES[what]
    with kept() as process:
        before = read()
        change()
        assert list(process.put_back()) == [what]
        assert read() == before
        assert list(process.put_back()) == []


def test_what_cannot_be_read_for_a_limit_was_not_changed() -> None:
    with many_open(), kept() as process:
        lower_files()
        assert list(process.put_back()) == ["resource.RLIMIT_NOFILE"]


def close_stdout() -> None:
    sys.stdout = StringIO()
    sys.stdout.close()


def delete_stdout() -> None:
    del sys.stdout


@pytest.mark.parametrize("change", [close_stdout, delete_stdout])
def test_a_stream_that_nobody_can_print_to_is_put_back_at_once(change: Callable[[], None]) -> None:
    with kept() as process:
        before = sys.stdout
        assert list(process.put_back_streams()) == []
        change()
        assert list(process.put_back_streams()) == ["sys.stdout"] and sys.stdout is before
        delete_stdout()
        assert list(process.put_back()) == ["sys.stdout"] and sys.stdout is before
        replace_stdout()
        assert list(process.put_back_streams()) == []


def test_the_locale_is_put_back() -> None:
    before = locale.setlocale(locale.LC_ALL)
    other = next(name for name in ("C.UTF-8", "C") if name != before)
    with kept() as process:
        locale.setlocale(locale.LC_ALL, other)
        assert list(process.put_back()) == ["the locale"] and locale.setlocale(locale.LC_ALL) == before


def test_a_descriptor_that_serves_something_else_is_left() -> None:
    # Given: a task that closed descriptor 0, and a file that was opened there. What happens: a look. What must hold:
    # the file is left alone.
    with kept() as process:
        os.close(0)
        with open(os.devnull, "rb") as taken:
            assert taken.fileno() == 0 and list(process.put_back()) == []
        assert list(process.put_back()) == ["file descriptor 0"]


def test_the_interpreter_s_limits_are_put_back() -> None:
    interpreter, before = Interpreter(), (sys.getrecursionlimit(), sys.getswitchinterval())
    sys.setrecursionlimit(before[0] - 100)
    sys.setswitchinterval(0.5)
    gc.disable()
    assert sorted(interpreter.put_back()) == ["gc.disable", "sys.setrecursionlimit", "sys.setswitchinterval"]
    assert (sys.getrecursionlimit(), sys.getswitchinterval()) == before and gc.isenabled()


@pytest.mark.parametrize("error", [OSError(), ValueError(), RuntimeError(), locale.Error()], ids=repr)
def test_what_cannot_be_put_back_is_told_so_once(error: Exception) -> None:
    # Given: something that a task changed, and that nobody can change back. What happens: three looks, then another
    # change. What must hold: each change is told once, as what it is; all else is put back.
    values = {"umask": 1, "locale": 1}

    def write(before: int) -> None:
        raise error

    def put_locale(before: int) -> None:
        values["locale"] = before

    kept = KeptValues([("umask", lambda: values["umask"], write), ("locale", lambda: values["locale"], put_locale)])
    values.update(umask=2, locale=2)
    assert [list(map(repr, kept.put_back())) for _ in range(3)] == [["Stays('umask')", "'locale'"], [], []]
    values["umask"] = 3
    assert list(map(repr, kept.put_back())) == ["Stays('umask')"] and values == {"umask": 3, "locale": 1}


def test_a_descriptor_that_nobody_can_open_again_is_told_once() -> None:
    first = os.dup(0)
    try:
        with kept() as process:
            os.close(0)
            for double in process.doubles.values():
                assert double >= FIRST_OWN
                os.close(double)
            assert list(map(repr, process.put_back())) == ["Stays('file descriptor 0')"]
            assert list(process.put_back()) == []
    finally:
        os.dup2(first, 0)
        os.close(first)


def test_a_higher_limit_of_recursion_stays() -> None:
    interpreter, before = Interpreter(), sys.getrecursionlimit()
    sys.setrecursionlimit(before + 1000)
    assert list(interpreter.put_back()) == [] and sys.getrecursionlimit() == before + 1000
    sys.setrecursionlimit(before)
