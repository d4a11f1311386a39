"""The settings of the broker, and of the folder that stands in for it."""

from pathlib import Path

from pydantic import Field, SecretStr

from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import Secret


class BrokerSettings(SettingsGroup):
    """Where messages go: a RabbitMQ broker, or a folder."""

    rabbitmq_host: str | None = Field(
        None,
        min_length=1,
        description="the broker's host name; several hosts of a cluster, with commas between, are tried in their order",
    )
    rabbitmq_port: int = Field(5672, ge=1, le=65535, description="the broker's port (5671 is usual with TLS)")
    rabbitmq_vhost: str = Field("/", min_length=1, description="the broker's virtual host")
    rabbitmq_username: str = Field("guest", min_length=1, description="the broker's user")
    rabbitmq_password: Secret = Field(SecretStr("guest"), description="that user's password")
    rabbitmq_tls: bool = Field(False, description="connect with TLS: true or false")
    rabbitmq_ca_file: Path | None = Field(
        None, description="the CA that signed the broker's certificate: a PEM file; the system's CAs without it"
    )
    messages_dir: Path | None = Field(
        None, description="instead of a broker: a folder that receives Avro object container files"
    )
