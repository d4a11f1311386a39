"""What RabbitMQ and pika report, as one clear sentence each; a password is in none of them."""

import re
import socket
import ssl
from dataclasses import dataclass

from pika.adapters.utils.connection_workflow import AMQPConnectorStackTimeout
from pika.exceptions import (
    AMQPHeartbeatTimeout,
    ChannelClosed,
    ConnectionClosedByBroker,
    IncompatibleProtocolError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from janitor.errors import JanitorError, Rejected, Unavailable
from janitor.settings.settings import Settings

HEARTBEAT_SECONDS = 60
"""After how long without a sign of life the broker counts as gone."""


@dataclass(frozen=True)
class Peer:
    """The broker as errors name it: where it is, and as whom Janitor logs in."""

    host: str
    port: int
    vhost: str
    user: str

    @classmethod
    def of(cls, settings: Settings) -> "Peer":
        """The broker that `settings` name."""
        return cls(
            str(settings.rabbitmq_host), settings.rabbitmq_port, settings.rabbitmq_vhost, settings.rabbitmq_username
        )

    @property
    def address(self) -> str:
        """Host, port and virtual host."""
        return f"{self.host}:{self.port}, virtual host {self.vhost!r}"

    def __str__(self) -> str:
        return f"RabbitMQ at {self.address}"


def in_words(exc: BaseException, peer: Peer) -> JanitorError:
    """What pika said about connecting to `peer`, or about losing it, as one sentence."""
    root = _root(exc)
    match root:
        case ssl.SSLCertVerificationError():
            fix = "set RABBITMQ_CA_FILE to the CA that signed it, and RABBITMQ_HOST to a name that it is for"
            return Rejected(f"the certificate of {peer} is not trusted ({root.verify_message}): {fix}")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return Unavailable(f"{peer} ended the connection while setting up TLS")
        case ssl.SSLError():
            return Rejected(
                f"no TLS with {peer} ({root.reason}): set RABBITMQ_PORT to its TLS port, or RABBITMQ_TLS=false"
            )
        case socket.gaierror():
            return Unavailable(f"the host name of {peer} cannot be resolved ({root.strerror})")
        case AMQPConnectorStackTimeout() | TimeoutError():
            return Unavailable(f"cannot connect to {peer}: no answer in time")
        case OSError():
            return Unavailable(f"cannot connect to {peer}: {root.strerror or root}")
        case ProbableAuthenticationError() | ProbableAccessDeniedError() | IncompatibleProtocolError():
            return _login_failed(root, peer)
        case ConnectionClosedByBroker():
            return Unavailable(f"{peer} closed the connection ({root.reply_text})")
        case AMQPHeartbeatTimeout():
            return Unavailable(f"lost the connection to {peer}: no heartbeat from it in {HEARTBEAT_SECONDS} s")
    return Unavailable(f"lost the connection to {peer}")


def _login_failed(exc: BaseException, peer: Peer) -> JanitorError:
    """What a connection that ended before it was open means; pika gives the broker's own words as a repr in a text."""
    said = re.search(r"\((\d+)\) ['\"](.*)['\"]", str(exc.args[0]) if exc.args else "")
    code, text = (said[1], said[2]) if said else ("", "")
    if code == "403":
        return Rejected(f"{peer} refuses the user {peer.user!r}: correct RABBITMQ_USERNAME or RABBITMQ_PASSWORD")
    if code == "530":
        fix = "correct RABBITMQ_VHOST, or let that user use it"
        return Rejected(f"{peer} does not let the user {peer.user!r} in ({text}): {fix}")
    hint = "it is starting or stopping, expects TLS (RABBITMQ_TLS=true), or is no RabbitMQ"
    return Unavailable(f"{peer} ended the connection before the login{f' ({text})' if text else ''}: {hint}")


def _root(exc: BaseException) -> BaseException:
    """The error within pika's wrappings; of the addresses of a host, the one that was tried last."""
    inner = getattr(exc, "exceptions", None) or [getattr(exc, "exception", None) or (exc.args[0] if exc.args else None)]
    return _root(inner[-1]) if isinstance(inner[-1], BaseException) else exc


def refused(exc: ChannelClosed, peer: Peer, exchange: str) -> JanitorError:
    """Why the broker closed a channel on which `exchange` was used, as one sentence."""
    subject = f"exchange {exchange!r} at {peer.address}"
    match exc.reply_code:
        case 404:
            fix = "declare it once as durable and fanout, or run `python run.py check --declare`"
            return Rejected(f"the {subject} does not exist: {fix}")
        case 403:
            return Rejected(f"the user {peer.user!r} may not use {subject}: grant it that ({exc.reply_text})")
        case 406:
            fix = "delete it and declare it as durable and fanout, or use another"
            return Rejected(f"the {subject} is not as it must be ({exc.reply_text}): {fix}")
    return Unavailable(f"the channel to {subject} was closed ({exc.reply_text})")
