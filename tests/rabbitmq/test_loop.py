"""The event loop: it turns in the calling thread only, and cuts what it watches."""

import socket
from collections.abc import Iterator

import pytest

from janitor.rabbitmq.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_has_come_is_read_in_the_next_turn(loop: Loop, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    read: list[bytes] = []
    loop.add_handler(ours.fileno(), lambda *_: read.append(ours.recv(9)), loop.READ)
    theirs.sendall(b"news")
    assert read == []
    loop.turn(30)
    assert read == [b"news"]
    loop.remove_handler(ours.fileno())
    theirs.sendall(b"more")
    loop.turn(0.01)
    assert read == [b"news"]


def test_a_turn_calls_what_is_due_and_ends(loop: Loop) -> None:
    called: list[str] = []
    loop.call_later(0, lambda: called.append("due"))
    later = loop.call_later(3600, lambda: called.append("in an hour"))
    loop.turn(0.01)
    assert called == ["due"]
    loop.remove_timeout(later)


def test_only_watched_connections_are_cut(loop: Loop, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    other, its_end = socket.socketpair()
    with other, its_end:
        loop.add_handler(ours.fileno(), lambda *_: None, loop.READ)
        loop.add_handler(other.fileno(), lambda *_: None, loop.READ)
        loop.remove_handler(other.fileno())
        loop.cut()
        assert theirs.recv(9) == b""
        its_end.sendall(b"still open")
        assert other.recv(20) == b"still open"
    assert ours.fileno() >= 0, "pika closes the socket itself"
