"""Exchanges: whether an exchange is there and as it must be, and declaring an exchange."""

from pika.channel import Channel
from pika.exceptions import ChannelClosed

from janitor.rabbitmq.connection import Connection, connected
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchange import DEFAULT, Exchange
from janitor.rabbitmq.peer import Peer
from janitor.settings.settings import Settings


def check_exchange(connection: Connection, channel: Channel, exchange: Exchange) -> str:
    """Make sure that `exchange` is there, durable and of its type; return what was found, in a few words.

    A user who may not configure the exchange cannot learn its type. That is no error. The default exchange, whose name
    is empty, is always there.

    Raises:
        Rejected: it does not exist, has another type, or is not durable; `channel` may be closed by then.
        Unavailable: the broker does not answer in time.
    """
    if exchange.name == DEFAULT:
        return "is always there"
    try:
        connection.call(channel, lambda answer: channel.exchange_declare(exchange.name, passive=True, callback=answer))
        _declare(connection, exchange)
    except ChannelClosed as exc:
        user = connection.peer.user
        if exc.reply_code == 403:
            return f"exists; whether it is {exchange.type} and durable is unknown, as {user!r} may not configure it"
        if exc.reply_code == 406 and not ("'type'" in exc.reply_text or "'durable'" in exc.reply_text):
            return f"exists, {exchange.type}, durable; {exc.reply_text}"
        raise refused(exc, connection.peer, exchange) from exc
    return f"exists, {exchange.type}, durable"


def inspect_exchange(settings: Settings, exchange: Exchange, peer: Peer | None = None) -> str:
    """As `check_exchange`, on a connection of its own: to `peer`, or to the first broker that answers.

    Raises:
        BadSetting, Unavailable, Rejected: there is no such connection, or no such exchange.
    """
    with connected(settings, peer) as connection:
        return check_exchange(connection, connection.channel(), exchange)


def declare_exchange(settings: Settings, exchange: Exchange) -> None:
    """Declare `exchange` as durable and of its type; doing so twice changes nothing.

    Raises:
        BadSetting, Unavailable: there is no such connection.
        Rejected: the user may not declare it, or it exists and is different.
    """
    if exchange.name == DEFAULT:
        return
    with connected(settings) as connection:
        try:
            _declare(connection, exchange)
        except ChannelClosed as exc:
            raise refused(exc, connection.peer, exchange) from exc


def _declare(connection: Connection, exchange: Exchange) -> None:
    """Declare `exchange` on a channel of its own: the broker closes the channel if the exchange is different."""
    channel = connection.channel()
    connection.call(
        channel, lambda answer: channel.exchange_declare(exchange.name, exchange.type, durable=True, callback=answer)
    )
    connection.tell(channel, channel.close)
