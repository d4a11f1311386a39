"""The only file that reaches into PyMySQL's private parts.

What: `_read_timeout` of an open connection. PyMySQL applies it to the socket before it reads each packet. And `_sock`,
its socket. And `_create_ssl_ctx`, with which it makes the TLS context of each new connection.

Why: a server that hangs stops no statement itself, so only the socket's timeout ends the wait. That timeout must
shrink with what is left of a run: a run with two seconds left must not wait a minute. PyMySQL takes `read_timeout`
only when it connects.

What pays for it: the benchmark lines "labware tick without news" and "sequencing tick without news" (2 to 4 ms). The
public way is a new connection for each run. It took 39 ms with its set-up; a pooled connection took 0.2 ms. A
connection that is open already when the run's end comes near would still wait too long.

`_sock` is needed because a forked child must not have the sockets of its parent: what it sends would garble the
parent's talk with the server. PyMySQL has no public way to it. No benchmark pays for that: the promise does.

For a URL without TLS options PyMySQL reads all certificates that the machine trusts, anew for each connection, and
verifies nothing with them. With them a new connection took 46 ms on loopback, without them 0.9 ms (means of 120). Each
verb and each child process opens connections of its own. If PyMySQL gives the method up, nothing fails: a connection
takes longer.

The canary is `tests/databases/test_pymysql_private.py`.
"""

import ssl
from collections.abc import Iterator
from typing import Any

import pymysql

from janitor.databases.mysql_tls import unverified


class LightConnection(pymysql.Connection):
    """A connection that reads no certificate if it has none to verify."""

    def _create_ssl_ctx(self, given: Any) -> ssl.SSLContext:
        made: ssl.SSLContext = super()._create_ssl_ctx(given) if given else unverified()  # type: ignore[misc]
        return made


def limit_reading(connection: "pymysql.Connection[Any]", seconds: float) -> None:
    """Let each later read on an open connection wait for the server no longer than this many seconds."""
    connection._read_timeout = seconds  # type: ignore[attr-defined]


def sockets_of(connection: "pymysql.Connection[Any]") -> Iterator[int]:
    """The file descriptor of an open connection's socket; none if it is closed."""
    if connection._sock is not None:  # type: ignore[attr-defined]
        yield connection._sock.fileno()  # type: ignore[attr-defined]
