"""Opening a publisher: a folder goes before a broker, and nothing is connected before the first group."""

from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.settings import Settings
from tests.messages import SCHEMA, publisher_to, statuses
from tests.servers import free_port


def test_a_folder_goes_before_a_broker(tmp_path: Path) -> None:
    broker = {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": str(free_port())}
    with publisher_to(Settings.load(broker | {"MESSAGES_DIR": str(tmp_path)}, None), "x") as publisher:
        publisher.publish(statuses(3))
    (path,) = tmp_path.glob("sample_sequence_status-*.avro")
    with path.open("rb") as file:
        metadata, rows = SCHEMA.read_container(file)
    assert rows == statuses(3)
    assert (metadata["subject"], metadata["encoder_type"]) == ("sample-sequence-status", "binary")


def test_a_missing_broker_is_told_at_the_first_group() -> None:
    with publisher_to(Settings.load({}, None), "x") as publisher:
        publisher.publish([])
        with pytest.raises(BadSetting, match="^RABBITMQ_HOST is missing: give the broker's host name, or a folder"):
            publisher.publish(statuses(1))
