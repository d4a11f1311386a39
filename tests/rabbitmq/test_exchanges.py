"""Exchanges at a real RabbitMQ: declared, inspected, and left alone if they are different."""

import pytest

from janitor.errors import Rejected
from janitor.rabbitmq.exchange import Exchange
from janitor.rabbitmq.exchanges import declare_exchange, inspect_exchange
from tests.messages import settings_for
from tests.servers import Broker


def test_declared_exchange_is_durable_and_fanout(rabbitmq: Broker) -> None:
    settings = settings_for(rabbitmq)
    for _ in range(2):
        declare_exchange(settings, Exchange("declared"))
        assert inspect_exchange(settings, Exchange("declared")) == "exists, fanout, durable"
    with rabbitmq.channel() as channel:
        channel.exchange_declare("declared", "fanout", durable=True)
        channel.exchange_delete("declared")


def test_missing_exchange_is_not_made_by_inspecting(rabbitmq: Broker) -> None:
    for _ in range(2):
        with pytest.raises(Rejected, match="^the exchange 'nowhere' at 127.0.0.1:.* does not exist"):
            inspect_exchange(settings_for(rabbitmq), Exchange("nowhere"))


def test_exchange_of_another_type_is_left_alone(rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.exchange_declare("topical", "topic", durable=True)
    for tried in (inspect_exchange, declare_exchange):
        with pytest.raises(Rejected, match="'topical' .* received 'fanout' but current is 'topic'"):
            tried(settings_for(rabbitmq), Exchange("topical"))
    with rabbitmq.channel() as channel:
        channel.exchange_declare("topical", "topic", durable=True)
        channel.exchange_delete("topical")


def test_exchange_with_an_alternate_is_accepted(rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.exchange_declare("alternated", "fanout", durable=True, arguments={"alternate-exchange": "amq.fanout"})
        assert inspect_exchange(settings_for(rabbitmq), Exchange("alternated")).startswith("exists, fanout, durable; ")
        channel.exchange_delete("alternated")


@pytest.mark.parametrize("kind", ["direct", "topic", "headers"])
def test_any_type_is_declared_and_inspected(rabbitmq: Broker, kind: str) -> None:
    settings, exchange = settings_for(rabbitmq), Exchange(f"a_{kind}", kind)
    declare_exchange(settings, exchange)
    assert inspect_exchange(settings, exchange) == f"exists, {kind}, durable"
    with pytest.raises(Rejected, match=f"'type' .* received 'fanout' but current is '{kind}'.*drops its bindings"):
        inspect_exchange(settings, Exchange(exchange.name))
    with rabbitmq.channel() as channel:
        channel.exchange_delete(exchange.name)


def test_the_default_exchange_is_always_there(rabbitmq: Broker) -> None:
    declare_exchange(settings_for(rabbitmq), Exchange("", "direct"))
    assert inspect_exchange(settings_for(rabbitmq), Exchange("", "direct")) == "is always there"
