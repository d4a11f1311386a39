"""What RabbitMQ and pika report, as one clear sentence each; a password stands in none of them."""

import re
import socket
import ssl

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
from janitor.rabbitmq.exchange import Exchange
from janitor.rabbitmq.parameters import HEARTBEAT_SECONDS
from janitor.rabbitmq.peer import Peer


def translated(error: BaseException, peer: Peer) -> JanitorError:
    """Our error for pika's error: a connection to `peer` was not made, or was lost."""
    root = _root(error)
    match root:
        case ssl.SSLError():
            return _tls_failed(root, peer)
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


def refused(error: ChannelClosed, peer: Peer, exchange: Exchange) -> JanitorError:
    """Our error for a channel that the broker closed; `exchange` was used on it."""
    subject = f"exchange {exchange.name!r} at {peer.address}"
    match error.reply_code:
        case 404:
            fix = f"declare it once as durable and {exchange.type}, or run `check --declare`"
            return Rejected(f"the {subject} does not exist: {fix}")
        case 403:
            return Rejected(f"the user {peer.user!r} may not use {subject}: grant it that ({error.reply_text})")
        case 406 if "inequivalent" in error.reply_text:
            fix = f"use another, or declare it anew as durable and {exchange.type} (to delete it drops its bindings)"
            return Rejected(f"the {subject} is not as it must be ({error.reply_text}): {fix}")
    return Unavailable(f"the channel to {subject} was closed ({error.reply_text})")


def _tls_failed(error: ssl.SSLError, peer: Peer) -> JanitorError:
    if isinstance(error, ssl.SSLCertVerificationError):
        fix = "set RABBITMQ_CA_FILE to the CA that signed it, and RABBITMQ_HOST to a name that it is for"
        return Rejected(f"the certificate of {peer} is not trusted ({error.verify_message}): {fix}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Unavailable(f"{peer} ended the connection while setting up TLS")
    fix = "set RABBITMQ_PORT to its TLS port, or RABBITMQ_TLS=false"
    return Rejected(f"no TLS with {peer} ({error.reason}): {fix}")


def _login_failed(error: BaseException, peer: Peer) -> JanitorError:
    """Why a connection ended before it was open; pika gives the broker's answer as a repr within a text."""
    said = re.search(r"\((\d+)\) ['\"](.*)['\"]", str(error.args[0]) if error.args else "")
    code, text = (said[1], said[2]) if said else ("", "")
    if code == "403":
        return Rejected(f"{peer} refuses the user {peer.user!r}: correct RABBITMQ_USERNAME or RABBITMQ_PASSWORD")
    if code == "530":
        fix = "correct RABBITMQ_VHOST, or let that user use it"
        return Rejected(f"{peer} does not let the user {peer.user!r} in ({text}): {fix}")
    hint = "it is starting or stopping, expects TLS (RABBITMQ_TLS=true), or is no RabbitMQ"
    return Unavailable(f"{peer} ended the connection before the login{f' ({text})' if text else ''}: {hint}")


def _root(error: BaseException) -> BaseException:
    """The error inside pika's wrappings; if a host has several addresses, the error of the address tried last."""
    inner = getattr(error, "exceptions", None) or [
        getattr(error, "exception", None) or (error.args[0] if error.args else None)
    ]
    return _root(inner[-1]) if isinstance(inner[-1], BaseException) else error
