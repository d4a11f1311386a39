"""Listening: the settings say from where, and the caller says how long."""

from itertools import islice
from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.publisher.listener import listen
from janitor.settings import Settings
from tests.messages import SCHEMA, publisher_to, statuses
from tests.servers import free_port


def test_listening_ends_after_so_many_rows(tmp_path: Path) -> None:
    broker = {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": str(free_port())}
    settings = Settings.load(broker | {"MESSAGES_DIR": str(tmp_path)}, None)
    with publisher_to(settings, "x") as publisher:
        publisher.publish(statuses(7))
    heard = [item["row"]["labware_barcode"] for item in islice(listen(settings, SCHEMA, "x", limit=5), 6)]
    assert heard == [f"SQPD-{number:04}" for number in range(5)]
    assert len(list(listen(settings, SCHEMA, "x", idle_seconds=0.01))) == 7
    assert len(list(islice(listen(settings, SCHEMA, "x"), 7))) == 7


def test_without_a_broker_there_is_nothing_to_listen_to() -> None:
    with pytest.raises(BadSetting, match="^RABBITMQ_HOST is missing: "):
        next(listen(Settings.load({}, None), SCHEMA, "x"))
