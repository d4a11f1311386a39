"""The servers of the benchmarks: a MariaDB and a RabbitMQ of their own, stopped in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.servers import Broker, MariaDB, RabbitMQ

OPTIONS = (
    "--innodb-buffer-pool-size=2G",
    "--innodb-log-file-size=1G",
    # The suite's servers do not wait for the disk; these do, as a warehouse's server does.
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-flush-method=O_DIRECT",
    "--local-infile=1",
    "--performance-schema=ON",
    # Counting costs time: it is switched on only where the counters are read.
    "--performance-schema-consumer-global-instrumentation=OFF",
)


@dataclass(frozen=True)
class Servers:
    """The database server and the broker."""

    sql: MariaDB
    broker: Broker


@contextmanager
def started() -> Iterator[Servers]:
    """Start both servers, on free loopback ports, in folders of their own; they are gone after the block."""
    sql, broker = MariaDB(*OPTIONS), RabbitMQ()
    try:
        sql.start()
        broker.start()
        yield Servers(sql, broker)
    finally:
        broker.close()
        sql.close()
