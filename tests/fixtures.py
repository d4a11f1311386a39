"""What the fixtures give to tests: three warehouses, and an exchange with a queue."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pika.spec import BasicProperties
from sqlalchemy import URL, Engine, create_engine

from janitor.demo import warehouses
from tests.servers import Broker, SqlServer

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Warehouses:
    """Engines on three warehouses with their tables; a test may write and read through them freely."""

    labwhere: Engine
    mlwh: Engine
    events: Engine
    server: SqlServer | None = None

    @property
    def labwhere_url(self) -> URL:
        """The URL of LabWhere."""
        return self.labwhere.url

    @property
    def mlwh_url(self) -> URL:
        """The URL of MLWH."""
        return self.mlwh.url

    @property
    def events_url(self) -> URL:
        """The URL of MLWH Events."""
        return self.events.url

    def environment(self) -> dict[str, str]:
        """Return the settings with which Janitor reaches them."""
        urls = (self.labwhere_url, self.mlwh_url, self.events_url)
        names = ("LABWHERE_DATABASE_URL", "MLWH_DATABASE_URL", "MLWH_EVENTS_DATABASE_URL")
        return {name: url.render_as_string(hide_password=False) for name, url in zip(names, urls, strict=True)}

    def fill(self, *, labwares: int = 200, runs: int = 3, seed: int = 1, products: int = 8) -> dict[str, int]:
        """Fill them with a small lab's rows, some of them awkward; return how many rows each table has."""
        engines = (self.labwhere, self.mlwh, self.events)
        return warehouses.fill(*engines, labwares=labwares, runs=runs, seed=seed, now=NOW, products=products)

    @classmethod
    @contextmanager
    def in_folder(cls, folder: Path) -> "Iterator[Warehouses]":
        """Give three SQLite files in a folder."""
        with cls._made(
            [URL.create("sqlite", database=str(folder / f"{name}.db")) for name in warehouses.NAMES]
        ) as made:
            yield made

    @classmethod
    @contextmanager
    def on_server(cls, server: SqlServer) -> "Iterator[Warehouses]":
        """Give three databases on a server; they are dropped in the end."""
        urls = [server.create_database() for _ in warehouses.NAMES]
        try:
            with cls._made(urls, server) as made:
                yield made
        finally:
            server.start()
            for url in urls:
                server.drop_database(url.database)

    @classmethod
    @contextmanager
    def _made(cls, urls: list[URL], server: SqlServer | None = None) -> "Iterator[Warehouses]":
        engines = [create_engine(url, pool_pre_ping=True) for url in urls]
        try:
            for engine, name in zip(engines, warehouses.NAMES, strict=True):
                warehouses.create_tables(engine, name)
            labwhere, mlwh, events = engines
            yield cls(labwhere, mlwh, events, server)
        finally:
            for engine in engines:
                engine.dispose()


@dataclass(frozen=True)
class Received:
    """A message as a consumer received it."""

    body: bytes
    properties: BasicProperties
    routing_key: str
    redelivered: bool


class Exchange:
    """A durable fanout exchange with a durable queue bound to it. Each call opens a connection of its own."""

    def __init__(self, broker: Broker, kind: str = "fanout") -> None:
        self.broker = broker
        self.name = self.queue = f"test_{uuid.uuid4().hex[:12]}"
        with broker.channel() as channel:
            channel.exchange_declare(self.name, kind, durable=True)
            channel.queue_declare(self.queue, durable=True)
            channel.queue_bind(self.queue, self.name, "")

    def unbind(self) -> None:
        """Unbind the queue: the exchange has no queue then."""
        with self.broker.channel() as channel:
            channel.queue_unbind(self.queue, self.name, "")

    def bind(self) -> None:
        """Bind the queue to the exchange again."""
        with self.broker.channel() as channel:
            channel.queue_bind(self.queue, self.name, "")

    def waiting(self) -> int:
        """Count the messages in the queue."""
        return self.broker.waiting(self.queue)

    def received(self) -> list[Received]:
        """Take all messages out of the queue, in order. All that was confirmed before this call is among them."""
        found: list[Received] = []
        with self.broker.channel() as channel:
            count = channel.queue_declare(self.queue, passive=True).method.message_count
            if not count:
                return found
            for method, properties, body in channel.consume(self.queue):
                found.append(Received(body, properties, method.routing_key or "", method.redelivered))
                if len(found) == count:
                    channel.basic_ack(method.delivery_tag or 0, multiple=True)
                    break
            channel.cancel()
        return found

    def delete(self) -> None:
        """Remove the queue and the exchange, if they are still there."""
        with self.broker.channel() as channel:
            channel.queue_delete(self.queue)
            channel.exchange_delete(self.name)
