"""The broker as error texts name it."""

from janitor.rabbitmq.peer import Peer
from janitor.settings import Settings


def test_a_broker_is_named_without_user_and_password() -> None:
    given = {"RABBITMQ_HOST": "mq", "RABBITMQ_PORT": "5671", "RABBITMQ_VHOST": "lab", "RABBITMQ_USERNAME": "anna"}
    peer = Peer.of(Settings.load(given | {"RABBITMQ_PASSWORD": "s3cret-word"}, None))
    assert peer == Peer("mq", 5671, "lab", "anna")
    assert str(peer) == "RabbitMQ at mq:5671, virtual host 'lab'"
    assert "s3cret" not in repr(peer)
