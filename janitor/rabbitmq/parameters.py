"""The parameters of a connection: from the settings to what pika takes."""

import ssl

from pika import ConnectionParameters, PlainCredentials, SSLOptions

from janitor.errors import BadSetting
from janitor.rabbitmq.peer import Peer
from janitor.settings.settings import Settings

HEARTBEAT_SECONDS = 60
"""How long the broker may be silent before it counts as gone."""


def parameters_of(settings: Settings, peer: Peer) -> ConnectionParameters:
    """pika's parameters for a broker of the settings.

    Raises:
        BadSetting: RABBITMQ_CA_FILE cannot be read.
    """
    seconds = settings.connect_timeout_seconds
    return ConnectionParameters(
        host=peer.host,
        port=peer.port,
        virtual_host=peer.vhost,
        credentials=PlainCredentials(peer.user, settings.fresh("RABBITMQ_PASSWORD").get_secret_value()),
        ssl_options=_tls(settings, peer) if settings.rabbitmq_tls else None,
        heartbeat=HEARTBEAT_SECONDS,
        socket_timeout=seconds,
        stack_timeout=seconds,
        connection_attempts=1,
        client_properties={"connection_name": "janitor"},
    )


def _tls(settings: Settings, peer: Peer) -> SSLOptions:
    path = settings.rabbitmq_ca_file
    try:
        context = ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as exc:
        expected = f"give a PEM file of CA certificates that can be read ({exc.__class__.__name__})"
        raise BadSetting("RABBITMQ_CA_FILE", path, expected) from exc
    return SSLOptions(context, peer.host)
