"""Exchanges: whether one is there and as it must be, and declaring one."""

from pika.channel import Channel
from pika.exceptions import ChannelClosed

from janitor.rabbitmq.connection import Broker, connected
from janitor.rabbitmq.errors import refused
from janitor.settings.settings import Settings


def check_exchange(broker: Broker, channel: Channel, exchange: str) -> str:
    """Make sure that `exchange` is there, fanout and durable; return what was found, in a few words.

    A user who may not configure it cannot learn its type; that is no error.

    Raises:
        Rejected: it does not exist, or is of another type, or not durable; `channel` may be closed by then.
    """
    try:
        broker.call(channel, lambda answer: channel.exchange_declare(exchange, passive=True, callback=answer))
        _declare(broker, exchange)
    except ChannelClosed as exc:
        if exc.reply_code == 403:
            return f"exists; whether it is fanout and durable is unknown, as {broker.peer.user!r} may not configure it"
        if exc.reply_code == 406 and not ("'type'" in exc.reply_text or "'durable'" in exc.reply_text):
            return f"exists, fanout, durable; {exc.reply_text}"
        raise refused(exc, broker.peer, exchange) from exc
    return "exists, fanout, durable"


def inspect_exchange(settings: Settings, exchange: str) -> str:
    """What `check_exchange` finds, on a connection of its own.

    Raises:
        BadSetting, Unavailable, Rejected: there is no such connection, or no such exchange.
    """
    with connected(settings) as broker:
        return check_exchange(broker, broker.channel(), exchange)


def declare_exchange(settings: Settings, exchange: str) -> None:
    """Declare `exchange` as durable and fanout; nothing changes where it is so already.

    Raises:
        BadSetting, Unavailable, Rejected: there is no such connection; the user may not, or it exists and is different.
    """
    with connected(settings) as broker:
        try:
            _declare(broker, exchange)
        except ChannelClosed as exc:
            raise refused(exc, broker.peer, exchange) from exc


def _declare(broker: Broker, exchange: str) -> None:
    """Declare `exchange` on a channel of its own, as the broker closes it where the exchange is different."""
    channel = broker.channel()
    broker.call(channel, lambda answer: channel.exchange_declare(exchange, "fanout", durable=True, callback=answer))
