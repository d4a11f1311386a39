"""The brokers that the settings name, and how error texts name them: one, or several hosts of a cluster."""

import pytest

from janitor.errors import BadSetting
from janitor.rabbitmq.peer import Peer
from janitor.settings import Settings


def test_a_broker_is_named_without_user_and_password() -> None:
    given = {"RABBITMQ_HOST": "mq", "RABBITMQ_PORT": "5671", "RABBITMQ_VHOST": "lab", "RABBITMQ_USERNAME": "anna"}
    (peer,) = Peer.each_of(Settings.load(given | {"RABBITMQ_PASSWORD": "s3cret-word"}, None))
    assert peer == Peer("mq", 5671, "lab", "anna")
    assert str(peer) == "RabbitMQ at mq:5671, virtual host 'lab'"
    assert "s3cret" not in repr(peer)


def test_missing_host_is_a_bad_setting() -> None:
    with pytest.raises(BadSetting, match="^RABBITMQ_HOST is missing: give the broker's host name, or a folder"):
        Peer.each_of(Settings.load({}, None))


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("rabbit", [("rabbit", 5672)]),
        ("a.lab, b.lab:5673,10.0.0.3", [("a.lab", 5672), ("b.lab", 5673), ("10.0.0.3", 5672)]),
        ("[::1]:5671,[fe80::1%eth0]", [("::1", 5671), ("fe80::1%eth0", 5672)]),
    ],
)
def test_several_hosts_are_several_brokers(value: str, places: list[tuple[str, int]]) -> None:
    peers = Peer.each_of(Settings.load({"RABBITMQ_HOST": value, "RABBITMQ_VHOST": "lab"}, None))
    assert [(peer.host, peer.port) for peer in peers] == places
    assert {(peer.vhost, peer.user) for peer in peers} == {("lab", "guest")}


@pytest.mark.parametrize("value", ["a,,b", "a:b", "a:70000", "amqp://a", "a b", "::1"])
def test_what_is_no_host_is_refused(value: str) -> None:
    with pytest.raises(BadSetting, match="^RABBITMQ_HOST is .*: give a host, or several with commas between"):
        Peer.each_of(Settings.load({"RABBITMQ_HOST": value}, None))
