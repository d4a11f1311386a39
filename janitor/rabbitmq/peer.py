"""A broker as error texts name it: where it is, and as which user Janitor logs in."""

import re
from dataclasses import dataclass

from janitor.errors import BadSetting
from janitor.settings.settings import Settings

_PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:.%\w]+\]|[^\s:\[\]]+)(?::(?P<port>\d{1,5}))?")
_HELP = "give a host, or several with commas between, each perhaps with its port, such as a.lab,b.lab:5673"


@dataclass(frozen=True)
class Peer:
    """A RabbitMQ server, a virtual host in it, and a user."""

    host: str
    port: int
    vhost: str
    user: str

    @classmethod
    def each_of(cls, settings: Settings) -> "list[Peer]":
        """The brokers that the settings name, in their order: several hosts of a cluster are several brokers.

        Raises:
            BadSetting: RABBITMQ_HOST is missing, or holds something that is no host.
        """
        if settings.rabbitmq_host is None:
            raise BadSetting("RABBITMQ_HOST", None, "give the broker's host name, or a folder as MESSAGES_DIR")
        return [cls._at(place.strip(), settings) for place in settings.rabbitmq_host.split(",")]

    @classmethod
    def _at(cls, place: str, settings: Settings) -> "Peer":
        found = _PLACE.fullmatch(place)
        port = int(found["port"] or settings.rabbitmq_port) if found else 0
        if found is None or not 1 <= port <= 65535:
            raise BadSetting("RABBITMQ_HOST", settings.rabbitmq_host, _HELP)
        return cls(found["host"].strip("[]"), port, settings.rabbitmq_vhost, settings.fresh("RABBITMQ_USERNAME"))

    @property
    def address(self) -> str:
        """Host, port and virtual host."""
        return f"{self.host}:{self.port}, virtual host {self.vhost!r}"

    def __str__(self) -> str:
        return f"RabbitMQ at {self.address}"
