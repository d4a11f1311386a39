"""Requests at a real web server: what arrives, and what is said of a server that does not say yes."""

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from janitor import http
from janitor.errors import Cancelled
from janitor.runs import Run
from tests.forked import code_of_child
from tests.outside import Hooks
from tests.servers import compute, free_port
from tests.servers.compute import Behaviour, ComputeWorker

TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """A web server that says yes."""
    with Hooks().open() as hooks:
        yield hooks


def test_a_body_is_posted_whole(hooks: Hooks) -> None:
    body = "größer\n".encode() * 5_000
    http.Client().post(f"{hooks.url}/here?a=1", body, TEXT)
    (request,) = hooks.requests
    assert (request.method, request.path, request.body) == ("POST", "/here?a=1", body)
    assert request.content_type == "text/plain"


@pytest.mark.parametrize("status", [500, 429, 404, 302, 400])
def test_a_no_is_told_with_its_status(hooks: Hooks, status: int) -> None:
    hooks.answers = [status]
    with pytest.raises(http.RequestFailed, match=f"^it answered {status}: so it is$") as caught:
        http.Client().post(f"{hooks.url}/secret-path", b"x", TEXT)
    assert caught.value.status == status and "secret" not in str(caught.value)
    assert len(hooks.requests) == 1, "it is tried once, and no redirect is followed"


def test_a_server_that_hangs_is_given_up(hooks: Hooks) -> None:
    hooks.hangs.set()
    with pytest.raises(http.RequestFailed, match="^it did not answer in time$") as caught:
        http.Client(read_seconds=0.2).post(hooks.url, b"x", TEXT)
    assert caught.value.status == 0


def test_an_address_where_nobody_listens_is_told() -> None:
    with pytest.raises(http.RequestFailed, match="nothing listens there") as caught:
        http.Client().post(f"http://127.0.0.1:{free_port()}/secret", b"x", TEXT)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in str(error)
        error = error.__cause__


def test_an_unknown_host_is_told() -> None:
    with pytest.raises(http.RequestFailed, match="^its host name is not known$"):
        http.Client().post("http://no-such-host.invalid/", b"x", TEXT)


def test_a_server_that_hangs_up_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        hangs_up = threading.Thread(target=lambda: server.accept()[0].close())
        hangs_up.start()
        with pytest.raises(http.RequestFailed, match=r"^it broke off \(ProtocolError\)$"):
            http.Client().post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"x", TEXT)
        hangs_up.join()


def test_a_proxy_is_used_unless_the_host_is_excepted(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", hooks.url)
    monkeypatch.setenv("NO_PROXY", "localhost")
    client = http.Client()
    for url in ("http://hooks.example.org/a", f"{hooks.url}/b"):
        client.post(url, b"x", TEXT)
    assert hooks.paths == ["http://hooks.example.org/a", "/b"]


def test_a_forked_child_has_connections_of_its_own(hooks: Hooks) -> None:
    client = http.Client()
    ours = client._pool(hooks.url)

    def act() -> None:
        assert client._pool(hooks.url) is not ours

    assert client._pool(hooks.url) is ours and code_of_child(act) == 0


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with Hooks().open(tls=context) as hooks:
        with pytest.raises(http.RequestFailed, match="^no TLS with it: .*certificate verify failed"):
            http.Client().post(hooks.url, b"x", TEXT)
    assert hooks.requests == []


@pytest.fixture
def worker() -> Iterator[ComputeWorker]:
    """A compute worker that does what it is told."""
    with ComputeWorker().open() as worker:
        yield worker


def within(seconds: float, go_on: Callable[[], None] = lambda: None) -> http.Bounds:
    return http.Bounds(time.monotonic() + seconds, go_on)


def ask(url: str, bounds: http.Bounds | None = None, most_bytes: int = 1_000_000) -> http.Response:
    return http.Client().ask("POST", url, b"[7]", TEXT, bounds=bounds or within(20), most_bytes=most_bytes)


def test_an_answer_comes_whole_whatever_its_status(worker: ComputeWorker) -> None:
    large = b"\0" * 300_000
    worker.next = [compute.well, compute.answers(418, large, "X-Kind: Tea\r\n")]
    assert json.loads(ask(f"{worker.url}/here").body) == {"computed": [7]}
    answer = ask(f"{worker.url}/here")
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (418, large, "Tea")
    assert [(one.method, one.path, one.body) for one in worker.requests] == [("POST", "/here", b"[7]")] * 2


def test_an_answer_that_is_packed_is_unpacked(worker: ComputeWorker) -> None:
    packed = gzip.compress(b"x" * 50_000)
    worker.next = [compute.answers(200, packed, "Content-Encoding: gzip\r\n")] * 2
    assert ask(worker.url).body == b"x" * 50_000
    with pytest.raises(http.RequestFailed, match="^its answer has more than 40,000 bytes$"):
        ask(worker.url, most_bytes=40_000)
    worker.next = [compute.answers(200, b"no gzip", "Content-Encoding: gzip\r\n")]
    with pytest.raises(http.RequestFailed, match="^its answer cannot be unpacked$"):
        ask(worker.url)


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (compute.hang, "^its answer did not come in time$"),
        (compute.drip_headers, "^its answer did not come in time$"),
        (compute.drip, "^its whole answer did not come in time$"),
    ],
)
def test_the_whole_answer_is_bounded_in_time(behave: Behaviour, says: str, worker: ComputeWorker) -> None:
    # Given: a server whose every byte comes in time, and whose answer never ends. The time for all of it counts.
    worker.next = [behave]
    with pytest.raises(http.RequestFailed, match=says) as caught:
        ask(worker.url, within(0.6))
    assert caught.value.status == 0 and not caught.value.is_unsent


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (compute.half, r"^its answer broke off in the middle \(ProtocolError\)$"),
        (compute.half_in_chunks, r"^its answer broke off in the middle \(ProtocolError\)$"),
        (compute.die, r"^it broke off \(ProtocolError\)$"),
    ],
)
def test_half_an_answer_is_none(behave: Behaviour, says: str, worker: ComputeWorker) -> None:
    worker.next = [behave]
    with pytest.raises(http.RequestFailed, match=says) as caught:
        ask(worker.url)
    assert not caught.value.is_unsent and len(worker.requests) == 1


@pytest.mark.parametrize("behave", [compute.hang, compute.drip_headers])
def test_a_post_may_be_bounded_as_a_whole(behave: Behaviour, worker: ComputeWorker) -> None:
    worker.next = [behave]
    with pytest.raises(http.RequestFailed, match="^it did not answer in time$"):
        http.Client().post(worker.url, b"x", TEXT, bounds=within(0.5))


def test_a_request_that_reached_nobody_says_so() -> None:
    with pytest.raises(http.RequestFailed, match="nothing listens there") as caught:
        ask(f"http://127.0.0.1:{free_port()}/")
    assert caught.value.is_unsent


def test_a_server_that_reads_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(http.RequestFailed, match="^its answer did not come in time$"):
            http.Client().ask("POST", url, b"x" * 50_000_000, TEXT, bounds=within(0.5), most_bytes=10)


def test_a_server_that_reads_slowly_is_given_up() -> None:
    # Given: a server that takes a little of the request now and then: each piece goes out in time, the whole never.
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def read_slowly() -> None:
            with server.accept()[0] as connection:
                while not is_over.wait(0.05) and connection.recv(16_384):
                    pass

        reader = threading.Thread(target=read_slowly)
        reader.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(http.RequestFailed, match="^its answer did not come in time$"):
            http.Client().ask("POST", url, b"x" * 50_000_000, TEXT, bounds=within(0.8), most_bytes=10)
        is_over.set()
        reader.join()


def test_a_large_request_may_take_longer_than_connecting() -> None:
    # Given: a server that is slow to read. What must hold: the limit for connecting is none for what is sent.
    body = b"x" * 20_000_000
    with socket.create_server(("127.0.0.1", 0)) as server:

        def read_late() -> None:
            with server.accept()[0] as connection, connection.makefile("rb") as request:
                threading.Event().wait(0.6)
                while request.readline().strip():
                    pass
                request.read(len(body))
                connection.sendall(b"HTTP/1.1 200 So\r\nContent-Length: 2\r\n\r\n77")

        reader = threading.Thread(target=read_late)
        reader.start()
        url, client = f"http://127.0.0.1:{server.getsockname()[1]}/", http.Client(connect_seconds=0.2)
        assert client.ask("POST", url, body, TEXT, bounds=within(30), most_bytes=10).body == b"77"
        reader.join()


def test_whoever_waits_is_asked_at_each_piece(worker: ComputeWorker) -> None:
    calls = list[int]()
    worker.next = [compute.piece_by_piece(40)]
    assert ask(worker.url, within(20, lambda: calls.append(1))).body == b" " * 40
    assert len(calls) > 5, "one call every 0.2 s would be fewer"


@pytest.mark.parametrize("behave", [compute.hang, compute.drip])
def test_whoever_waits_for_an_answer_may_give_up(behave: Behaviour, worker: ComputeWorker) -> None:
    # Given: a run that is asked to stop while it waits. What must hold: it ends at once, with its own error.
    run = Run()
    worker.next = [behave]

    def go_on() -> None:
        if worker.requests:
            run.ask_to_stop(Cancelled("a person asked"))
        run.check()

    with pytest.raises(Cancelled, match="^a person asked$"):
        ask(worker.url, within(20, go_on))


def test_an_answer_comes_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, ca = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), trustme.CA()
    ca.issue_cert("localhost").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with ComputeWorker(tls=context).open() as worker:
        worker.next = [compute.answers(200, b"x" * 300_000), compute.drip]
        assert ask(worker.url).body == b"x" * 300_000
        with pytest.raises(http.RequestFailed, match="^its whole answer did not come in time$"):
            ask(worker.url, within(0.5))


def test_half_a_record_of_tls_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a network that stops in the middle of a record: there is something to read, and nothing comes of it.
    context, ca = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), trustme.CA()
    ca.issue_cert("localhost").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with ComputeWorker(tls=context).open() as worker, stopping_after(100_000, worker.port) as port:
        worker.next = [compute.answers(200, b"x" * 300_000)]
        with pytest.raises(http.RequestFailed, match="^its whole answer did not come in time$"):
            ask(f"https://localhost:{port}/", within(0.8))


@contextmanager
def stopping_after(most: int, port: int) -> Iterator[int]:
    """A port that leads to another, and lets so many bytes come back; then the connection stays open, and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def lead() -> None:
            ours = server.accept()[0]
            theirs = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=pump, args=(ours, theirs, 10**9), daemon=True).start()
            pump(theirs, ours, most)

        threading.Thread(target=lead, daemon=True).start()
        yield server.getsockname()[1]


def pump(source: socket.socket, target: socket.socket, left: int) -> None:
    """Send on what comes, up to so many bytes."""
    with suppress(OSError):
        while left and (data := source.recv(min(left, 65_536))):
            target.sendall(data)
            left -= len(data)
        if left:
            target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://Lab.Example.org/a?b", ("https", "lab.example.org", 443)),
        ("http://lab.example.org.:81", ("http", "lab.example.org", 81)),
        ("http://[::1]:81/", ("http", "[::1]", 81)),
        ("http://lab.example.org#@evil.example", ("http", "lab.example.org", 80)),
    ],
)
def test_the_server_of_an_address(url: str, server: tuple[str, str, int]) -> None:
    assert http.server_of(url) == server


@pytest.mark.parametrize(
    "url",
    ["", "lab.example.org", "/path", "ftp://lab.example.org", "http://me@lab.example.org/", "http://a b/", "http:"],
)
def test_what_is_no_address_has_no_server(url: str) -> None:
    with pytest.raises(ValueError, match="^it is no address"):
        http.server_of(url)
