"""The broker as error texts name it: where it is, and as which user Janitor logs in."""

from dataclasses import dataclass

from janitor.settings.settings import Settings


@dataclass(frozen=True)
class Peer:
    """A RabbitMQ server, a virtual host in it, and a user."""

    host: str
    port: int
    vhost: str
    user: str

    @classmethod
    def of(cls, settings: Settings) -> "Peer":
        """The broker that the settings name."""
        return cls(
            host=str(settings.rabbitmq_host),
            port=settings.rabbitmq_port,
            vhost=settings.rabbitmq_vhost,
            user=settings.rabbitmq_username,
        )

    @property
    def address(self) -> str:
        """Host, port and virtual host."""
        return f"{self.host}:{self.port}, virtual host {self.vhost!r}"

    def __str__(self) -> str:
        return f"RabbitMQ at {self.address}"
