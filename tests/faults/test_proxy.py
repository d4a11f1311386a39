"""The proxy of the fault tests: what it forwards is whole, and each of its faults looks like a network's."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy

PATIENCE_SECONDS = 10.0


@pytest.fixture
def echo() -> Iterator[int]:
    """Give the port of a server that sends back what it gets, and ends a connection when its client does."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE_SECONDS)

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(10_000):
                    connection.sendall(data)
            except OSError:
                pass

    def take() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=take, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", echo) as made:
        yield made


def client(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_SECONDS)


def answered(connection: socket.socket, data: bytes = b"hello") -> bytes:
    connection.sendall(data)
    got = b""
    while len(got) < len(data) and (more := connection.recv(10_000)):
        got += more
    return got


def test_what_it_forwards_is_whole(proxy: Proxy) -> None:
    data = bytes(range(256)) * 4_000
    with client(proxy) as one, client(proxy) as other:
        threading.Thread(target=one.sendall, args=(data,), daemon=True).start()
        got = b""
        while len(got) < len(data):
            got += one.recv(100_000)
        assert got == data
        assert answered(other) == b"hello" and proxy.connections == 2
        one.shutdown(socket.SHUT_WR)
        assert one.recv(10) == b""
    assert proxy.forwarded_bytes == 2 * (len(data) + 5)


def test_cut_resets_what_is_open_and_takes_what_is_new(proxy: Proxy) -> None:
    with client(proxy) as open_one:
        assert answered(open_one) == b"hello"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            open_one.recv(10)
        with client(proxy) as new:
            assert answered(new) == b"hello"


def test_refused_is_refused_until_it_accepts(proxy: Proxy) -> None:
    with client(proxy) as open_one:
        assert answered(open_one) == b"hello"
        proxy.refuse()
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            client(proxy)
        assert answered(open_one) == b"hello"
        proxy.accept()
        proxy.accept()
        with client(proxy) as new:
            assert answered(new) == b"hello"


def test_away_is_cut_and_refused_for_a_block(proxy: Proxy) -> None:
    with client(proxy) as open_one:
        assert answered(open_one) == b"hello"
        with proxy.away():
            with pytest.raises(ConnectionResetError):
                open_one.recv(10)
            with pytest.raises(ConnectionRefusedError):
                client(proxy)
        with client(proxy) as new:
            assert answered(new) == b"hello"


def test_paused_it_hangs_and_then_goes_on(proxy: Proxy) -> None:
    with client(proxy) as open_one:
        assert answered(open_one) == b"hello"
        with proxy.hanging():
            open_one.sendall(b"later")
            open_one.settimeout(0.3)
            with pytest.raises(TimeoutError):
                open_one.recv(10)
            with client(proxy) as new:
                new.sendall(b"new")
                new.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    new.recv(10)
        open_one.settimeout(PATIENCE_SECONDS)
        assert open_one.recv(10) == b"later"


def test_slowed_it_takes_its_time_in_both_directions(proxy: Proxy) -> None:
    with client(proxy) as connection:
        assert answered(connection) == b"hello"
        proxy.slow(0.2)
        began = time.monotonic()
        assert answered(connection) == b"hello"
        # A tenth of a second would be there in one direction alone.
        assert time.monotonic() - began > 0.35
        proxy.slow(0, bytes_per_second=100_000)
        began = time.monotonic()
        assert len(answered(connection, b"x" * 30_000)) == 30_000
        assert time.monotonic() - began > 0.35
        proxy.slow(0)
        assert answered(connection) == b"hello"


def test_a_server_that_is_away_ends_the_connection(echo: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Proxy("127.0.0.1", port) as proxy, client(proxy) as connection:
        with pytest.raises(ConnectionResetError):
            assert connection.recv(10) == b""
            raise ConnectionResetError  # an orderly end is as good


def test_closed_it_leaves_nothing_behind(echo: int) -> None:
    before = threading.active_count()
    proxy = Proxy("127.0.0.1", echo)
    paused, open_one = client(proxy), client(proxy)
    assert answered(open_one) == b"hello"
    proxy.pause()
    paused.sendall(b"never")
    proxy.close()
    proxy.close()
    for connection in (paused, open_one):
        with connection, pytest.raises(ConnectionResetError):
            assert connection.recv(10) == b""
            raise ConnectionResetError
    with pytest.raises(ConnectionRefusedError):
        client(proxy)
    # The echo server's own threads end a little later.
    end = time.monotonic() + PATIENCE_SECONDS
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before
