"""What is said of a connection that RabbitMQ does not give; the password is in none of it."""

import logging
import secrets
import traceback
from typing import Any

import pika
import pytest

from janitor.errors import JanitorError, Rejected, Unavailable
from tests.messages import publisher_to, settings_for, statuses
from tests.servers import Broker, free_port


def settings_for_closed_port() -> Any:
    return settings_for(Broker(pika.ConnectionParameters("127.0.0.1", free_port()), "guest", "s3cret-word"))


def test_closed_port_is_unavailable() -> None:
    settings = settings_for_closed_port()
    with publisher_to(settings, "x") as publisher:
        with pytest.raises(
            Unavailable, match=f"^cannot connect to RabbitMQ at 127.0.0.1:{settings.rabbitmq_port}, .*ref"
        ):
            publisher.publish(statuses(1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"RABBITMQ_PASSWORD": "wr0ng-word"}, "refuses the user 'guest': correct RABBITMQ_USERNAME or"),
        ({"RABBITMQ_USERNAME": "nobody"}, "refuses the user 'nobody': correct RABBITMQ_USERNAME or"),
        (
            {"RABBITMQ_VHOST": "elsewhere"},
            r"does not let the user 'guest' in \(NOT_ALLOWED - vhost elsewhere not found\)",
        ),
    ],
)
def test_refused_login_is_rejected(rabbitmq: Broker, change: dict[str, str], sentence: str) -> None:
    with publisher_to(settings_for(rabbitmq, **change), "x") as publisher:
        with pytest.raises(Rejected, match=sentence):
            publisher.publish(statuses(1))


def test_password_is_in_no_error_and_no_log(rabbitmq: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="pika")
    password = secrets.token_hex(8)
    for change in ({}, {"RABBITMQ_PORT": str(free_port())}, {"RABBITMQ_VHOST": "elsewhere"}):
        settings = settings_for(rabbitmq, **change, RABBITMQ_PASSWORD=password)
        with pytest.raises(JanitorError) as caught, publisher_to(settings, "x") as publisher:
            publisher.publish(statuses(1))
        assert password not in "".join(traceback.format_exception(caught.value))
    assert password not in caplog.text
    assert "ACCESS_REFUSED" in caplog.text


def test_host_that_is_no_broker_is_unavailable(rabbitmq: Broker) -> None:
    settings = settings_for(rabbitmq, RABBITMQ_HOST="no-such-host.invalid")
    with publisher_to(settings, "x") as publisher:
        with pytest.raises(
            Unavailable, match="^the host name of RabbitMQ at no-such-host.invalid:.* cannot be resolved"
        ):
            publisher.publish(statuses(1))
