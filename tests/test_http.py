"""Requests at a real web server: what arrives, and what is said of a server that does not say yes."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from janitor import http
from tests.forked import code_of_child
from tests.outside import Hooks
from tests.servers import free_port

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
