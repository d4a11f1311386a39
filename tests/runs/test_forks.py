"""Forked children: they have nothing of their parent's that is kept from them, and end where they should."""

import os
import resource
import signal
import socket
import stat
import sys
from contextlib import suppress

import pytest

from janitor.runs.forks import EndsHereInChildren, keep_from_children, signals_taken
from tests.forked import code_of_child

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
"""A Python that warns of forks beside threads is right; tasks fork all the same."""


def test_what_a_child_sends_on_a_kept_socket_reaches_nobody() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        keep_from_children(ours, lambda one: [one.fileno()])
        assert code_of_child(lambda: os.write(ours.fileno(), b"from the child")) == 0
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
        ours.send(b"from the parent")
        assert theirs.recv(100) == b"from the parent"


def test_a_closed_socket_that_is_kept_harms_no_child() -> None:
    ours, theirs = socket.socketpair()
    keep_from_children(ours, lambda one: [one.fileno()])
    ours.close()
    with theirs:
        assert code_of_child(lambda: theirs.getsockname()) == 0


@pytest.mark.parametrize("limit", [60, 10])
def test_a_child_at_the_limit_of_descriptors_is_as_any_other(limit: int) -> None:
    # Given: no further descriptor can be opened; or the limit is below those that are open. What happens: a fork.
    # What must hold: the child has nothing of the sockets, and ends when it is told to.
    pairs = [socket.socketpair() for _ in range(6)]
    kept = [keep_from_children(one, lambda one: [one.fileno()]) for pair in pairs for one in pair]
    numbers, taken = [one.fileno() for one in kept], list[int]()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def act() -> None:
        assert not any(is_socket(number) for number in numbers)
        os.kill(os.getpid(), signal.SIGUSR2)

    with signals_taken({signal.SIGUSR2: lambda number, frame: None}):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
            with suppress(OSError):
                while True:
                    taken.append(os.dup(0))
            assert code_of_child(act) == -signal.SIGUSR2
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for number in taken:
                os.close(number)
            for one in kept:
                one.close()


def is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2])
def test_a_signal_that_the_parent_takes_ends_its_child(number: signal.Signals) -> None:
    came: list[int] = []
    before = signal.signal(number, signal.SIG_DFL)
    with signals_taken({number: lambda number, frame: came.append(number)}):
        assert code_of_child(lambda: os.kill(os.getpid(), number)) == -number
        assert came == []
        os.kill(os.getpid(), number)
        assert came == [number]
    assert signal.getsignal(number) is signal.SIG_DFL
    signal.signal(number, before)


def test_a_signal_that_comes_to_a_child_at_once_is_not_lost() -> None:
    # Given: a signal that the parent takes. What happens: children are told to end as soon as they are there.
    # What must hold: each ends, also if the signal comes before the child handles it in its own way.
    with signals_taken({signal.SIGUSR2: lambda number, frame: None}):
        for _ in range(30):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            os.kill(pid, signal.SIGUSR2)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGUSR2


def test_a_handler_that_a_task_set_is_left_to_its_child() -> None:
    came: list[int] = []
    with signals_taken({signal.SIGUSR2: lambda number, frame: None}):
        signal.signal(signal.SIGUSR2, lambda number, frame: came.append(number))

        def act() -> None:
            os.kill(os.getpid(), signal.SIGUSR2)
            os._exit(len(came) + 40)

        assert code_of_child(act) == 41


def leave(error: BaseException | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (SystemExit(3), 3),
        (SystemExit(), 0),
        (SystemExit("words"), 1),
        (ValueError("odd"), 1),
        (KeyboardInterrupt(), 1),
    ],
)
def test_a_child_ends_with_the_block_in_which_it_was_forked(error: BaseException | None, code: int) -> None:
    with EndsHereInChildren():
        pid = os.fork()
        if pid == 0:
            leave(error)
    # Only the parent comes here: a child would go on with all tests after this test.
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code


def test_in_the_parent_an_error_passes_on() -> None:
    with pytest.raises(SystemExit), EndsHereInChildren():
        sys.exit(3)
