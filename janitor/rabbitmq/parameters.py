"""The parameters of a connection: from the settings to what pika takes."""

import ssl

from pika import ConnectionParameters, PlainCredentials, SSLOptions

from janitor.errors import BadSetting
from janitor.settings.settings import Settings

HEARTBEAT_SECONDS = 60
"""How long the broker may be silent before it counts as gone."""


def parameters_of(settings: Settings) -> ConnectionParameters:
    """pika's parameters for the broker that the settings name.

    Raises:
        BadSetting: RABBITMQ_HOST is missing, or RABBITMQ_CA_FILE cannot be read.
    """
    if settings.rabbitmq_host is None:
        raise BadSetting("RABBITMQ_HOST", None, "give the broker's host name, or a folder as MESSAGES_DIR")
    seconds = settings.connect_timeout_seconds
    return ConnectionParameters(
        host=settings.rabbitmq_host,
        port=settings.rabbitmq_port,
        virtual_host=settings.rabbitmq_vhost,
        credentials=PlainCredentials(settings.rabbitmq_username, settings.rabbitmq_password.get_secret_value()),
        ssl_options=_tls(settings) if settings.rabbitmq_tls else None,
        heartbeat=HEARTBEAT_SECONDS,
        socket_timeout=seconds,
        stack_timeout=seconds,
        connection_attempts=1,
        client_properties={"connection_name": "janitor"},
    )


def _tls(settings: Settings) -> SSLOptions:
    path = settings.rabbitmq_ca_file
    try:
        context = ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as exc:
        expected = f"give a PEM file of CA certificates that can be read ({exc.__class__.__name__})"
        raise BadSetting("RABBITMQ_CA_FILE", path, expected) from exc
    return SSLOptions(context, settings.rabbitmq_host)
