"""The parameters of a connection: what is refused before anything is opened."""

from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.rabbitmq.parameters import parameters_of
from janitor.rabbitmq.peer import Peer
from janitor.settings import Settings


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unreadable_ca_file_is_a_bad_setting(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    environment = {"RABBITMQ_HOST": "localhost", "RABBITMQ_TLS": "true", "RABBITMQ_CA_FILE": str(path)}
    with pytest.raises(BadSetting, match="^RABBITMQ_CA_FILE is '.*ca.pem': give a PEM file of CA certificates"):
        settings = Settings.load(environment, None)
        parameters_of(settings, Peer.each_of(settings)[0])
