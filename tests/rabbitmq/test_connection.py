"""The connection to RabbitMQ: opened in time, over TLS, lost, and closed without waiting long."""

import gc
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pika
import pytest
import trustme

from janitor.errors import Cancelled, Rejected, Unavailable
from janitor.rabbitmq import exchange as exchanges
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.exchanges import inspect_exchange
from janitor.rabbitmq.queue import Queue
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.brokers import channel_limit
from tests.faults.proxy import Proxy
from tests.fixtures import Exchange
from tests.messages import SCHEMA, publisher_to, settings_for, statuses
from tests.rabbitmq.closing_frames import closing_behind
from tests.servers import Broker, RabbitMQ, free_port


@contextmanager
def silent_port(backlog: int) -> Iterator[Settings]:
    """A port that takes connections and never speaks; with a backlog of 0 it does not even take them."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as silent, ExitStack() as callers:
        for _ in range(backlog + 1 if backlog < 2 else 0):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(silent.getsockname())
        broker = Broker(pika.ConnectionParameters("127.0.0.1", silent.getsockname()[1]), "guest", "guest")
        yield settings_for(broker, CONNECT_TIMEOUT_SECONDS="1")


@pytest.mark.parametrize("backlog", [0, 5])
def test_port_that_never_answers_is_unavailable(backlog: int) -> None:
    with silent_port(backlog) as settings:
        with pytest.raises(Unavailable, match="^(no answer from|cannot connect to) RabbitMQ at 127.0.0.1:"):
            inspect_exchange(settings, exchanges.Exchange("x"))


@pytest.mark.parametrize("backlog", [0, 5])
def test_request_to_stop_ends_connecting(backlog: int) -> None:
    run = Run()
    run.ask_to_stop(Cancelled("by hand"))
    with silent_port(backlog) as settings, running(run), pytest.raises(Cancelled, match="by hand"):
        inspect_exchange(settings, exchanges.Exchange("x"))


@pytest.mark.slow
def test_broker_that_hangs_is_unavailable_in_time(rabbitmq: Broker) -> None:
    """Given a broker that hangs with an open connection, opening a channel ends after 1 s.

    Then the connection, which the broker does not help to close, is cut, and no file is left open.
    """
    process, before = int(rabbitmq.ctl("eval", "os:getpid().").strip().strip('"')), open_files()
    try:
        with pytest.raises(Unavailable, match="^no answer from RabbitMQ at .* within 1 s while opening a channel$"):
            with connected(settings_for(rabbitmq, STATEMENT_TIMEOUT_SECONDS="1")) as connection:
                os.kill(process, signal.SIGSTOP)
                connection.channel()
        assert open_files() == before
    finally:
        os.kill(process, signal.SIGCONT)


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/dev/fd"))


@pytest.mark.slow
def test_connection_found_lost_is_unavailable(rabbitmq: Broker) -> None:
    """Given a connection that the broker closed while nobody asked for anything, each call says that it is lost."""
    with connected(settings_for(rabbitmq)) as connection:
        channel = connection.channel()
        rabbitmq.ctl("close_all_connections", "closed by the test")
        while connection.is_open:
            connection.turn(0.1)
        for act in (
            connection.channel,
            lambda: connection.call(channel, lambda answer: channel.confirm_delivery(print, answer)),
        ):
            with pytest.raises(Unavailable, match="^RabbitMQ at 127.0.0.1:.* closed the connection"):
                act()


@pytest.mark.parametrize("after", range(1, 12))
def test_a_connection_closed_right_behind_an_answer_is_told_in_one_sentence(
    rabbitmq: Broker, exchange: Exchange, after: int
) -> None:
    # Given: a broker that closes the connection in the same piece as one of its answers. What happens: a reader's queue
    # is made, a record is published, and the reader acknowledges what it got. What must hold: it is one sentence.
    proxy = Proxy(rabbitmq.host, rabbitmq.port, closing_behind(after))
    with proxy, pytest.raises(Unavailable) as caught:
        settings = settings_for(rabbitmq, RABBITMQ_HOST="127.0.0.1", RABBITMQ_PORT=str(proxy.port))
        with publisher_to(settings, exchange.name) as publisher:
            publisher.publish(statuses(1))
        with connected(settings) as connection:
            queue = Queue(connection, exchange.name)
            with publisher_to(settings_for(rabbitmq), exchange.name) as direct:
                direct.publish(statuses(1))
            delivery = queue.next(20)
            assert delivery is not None
            queue.acknowledge(delivery)
            queue.next(20)
    assert re.fullmatch(
        r"(RabbitMQ at 127\.0\.0\.1:|lost the connection to RabbitMQ).*", str(caught.value)
    ), caught.value


@pytest.mark.slow
def test_a_channel_too_many_is_told(rabbitmq: Broker) -> None:
    with channel_limit(rabbitmq, 2), connected(settings_for(rabbitmq)) as connection:
        channels = [connection.channel(), connection.channel()]
        with pytest.raises(Rejected, match="^RabbitMQ at 127.0.0.1:.* allows too few channels on a connection: raise"):
            connection.channel()
        channels[0].close()
        connection.wait(lambda: channels[0].is_closed, 5, "closing")
        assert connection.channel().is_open


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_broker(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A broker that speaks TLS too, on the port `tls_port`, with a certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    folder.chmod(0o755)
    port = free_port()
    files = {"cacertfile": "ca.pem", "certfile": "cert.pem", "keyfile": "key.pem"}
    lines = [f"ssl_options.{name} = {folder / file}" for name, file in files.items()]
    server = RabbitMQ("\n".join([f"listeners.ssl.default = 127.0.0.1:{port}", *lines, ""]))
    server.tls_port = port  # type: ignore[attr-defined]
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def tls_settings(tls_broker: RabbitMQ, authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    port = str(tls_broker.tls_port)  # type: ignore[attr-defined]
    changes = {"RABBITMQ_HOST": "localhost", "RABBITMQ_PORT": port, "RABBITMQ_TLS": "true"}
    return changes | {"RABBITMQ_CA_FILE": str(tmp_path / "ca.pem")}


@pytest.mark.slow
def test_messages_arrive_through_tls(tls_broker: RabbitMQ, tls_settings: dict[str, str]) -> None:
    exchange = Exchange(tls_broker)
    with publisher_to(settings_for(tls_broker, **tls_settings), exchange.name) as publisher:
        publisher.publish(statuses(250))
    assert [SCHEMA.decode(message.body) for message in exchange.received()] == statuses(250)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"RABBITMQ_CA_FILE": ""},
            "^the certificate of RabbitMQ at localhost:.* is not trusted .*set RABBITMQ_CA_FILE",
        ),
        ({"RABBITMQ_HOST": "127.0.0.1"}, "^the certificate of RabbitMQ at 127.0.0.1:.* not valid for '127.0.0.1'"),
    ],
)
def test_certificate_that_does_not_fit_is_rejected(
    tls_broker: RabbitMQ, tls_settings: dict[str, str], change: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Rejected, match=sentence):
        inspect_exchange(settings_for(tls_broker, **(tls_settings | change)), exchanges.Exchange("amq.fanout"))


@pytest.mark.slow
def test_tls_to_a_plain_port_and_the_reverse_are_told(tls_broker: RabbitMQ, tls_settings: dict[str, str]) -> None:
    with pytest.raises(Rejected, match="^no TLS with RabbitMQ at .*: set RABBITMQ_PORT to its TLS port, or"):
        inspect_exchange(
            settings_for(tls_broker, **(tls_settings | {"RABBITMQ_PORT": str(tls_broker.port)})),
            exchanges.Exchange("x"),
        )
    with pytest.raises(Unavailable, match=r"expects TLS \(RABBITMQ_TLS=true\)"):
        inspect_exchange(
            settings_for(tls_broker, **(tls_settings | {"RABBITMQ_TLS": "false"})), exchanges.Exchange("x")
        )


def test_the_first_host_that_answers_is_taken(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: three hosts, of which the first does not answer and the second has no such name.
    # What happens: records are published. What must hold: they are there, through the third.
    closed = f"127.0.0.1:{free_port()}"
    hosts = f"{closed}, no-such-host.invalid, 127.0.0.1:{rabbitmq.port}"
    with publisher_to(settings_for(rabbitmq, RABBITMQ_HOST=hosts), exchange.name) as publisher:
        publisher.publish(statuses(3))
    assert exchange.waiting() == 3
    settings = settings_for(rabbitmq, RABBITMQ_HOST=f"{closed}, no-such-host.invalid")
    with publisher_to(settings, exchange.name) as publisher:
        with pytest.raises(Unavailable, match=f"cannot connect to RabbitMQ at {closed}.*; the host name of .*invalid"):
            publisher.publish(statuses(3))


def test_a_password_that_is_rotated_needs_no_restart(rabbitmq: Broker, exchange: Exchange, tmp_path: Path) -> None:
    # Given: a user and a password in files. What happens: the broker gets another user, and the files later.
    # What must hold: logins are refused until the files have it, and then they are not.
    files = {name: tmp_path / name for name in ("RABBITMQ_USERNAME", "RABBITMQ_PASSWORD")}
    for path, text in zip(files.values(), ("nobody", "no-such-word")):
        path.write_text(text, encoding="ascii")
    given = {name: text for name, text in rabbitmq.environment().items() if name not in files}
    settings = Settings.load(given | {f"{name}_FILE": str(path) for name, path in files.items()}, dotenv=None)
    with pytest.raises(Rejected, match="refuses the user 'nobody'"), connected(settings):
        pass
    for path, text in zip(files.values(), (rabbitmq.username, rabbitmq.password)):
        path.write_text(text, encoding="ascii")
    with connected(settings) as connection:
        assert connection.is_open


def test_a_login_that_is_refused_is_tried_nowhere_else(rabbitmq: Broker, exchange: Exchange) -> None:
    hosts = f"127.0.0.1:{rabbitmq.port},127.0.0.1:{free_port()}"
    settings = settings_for(rabbitmq, RABBITMQ_HOST=hosts, RABBITMQ_PASSWORD="wr0ng-word")
    with publisher_to(settings, exchange.name) as publisher, pytest.raises(Rejected, match="refuses the user"):
        publisher.publish(statuses(1))
