"""A link to a Redis server: bounded waits, and every error one clear sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from janitor.errors import BadSetting, JanitorError, Rejected, Unavailable
from janitor.items.variables import secret_of
from janitor.settings.redis import REDIS_HELP
from janitor.settings.settings import Settings

ANSWER_SECONDS = 10.0
"""How long Redis may take for an answer; it answers in less than a millisecond."""


class RedisLink:
    """A connection to the Redis server that a variable names."""

    def __init__(
        self, settings: Settings, variable: str, wanted_by: str, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """Nothing is connected yet; `wanted_by` says in an error who needs the package redis.

        Raises:
            Rejected: the package is not installed.
            BadSetting: the variable is missing, or is no URL of a Redis server.
        """
        self._redis = _redis(wanted_by)
        url = secret_of(settings, variable, REDIS_HELP)
        # What a server of an old release, or a proxy, does not know is not asked of it: so the second protocol.
        options = {
            "protocol": 2,
            "socket_connect_timeout": min(settings.connect_timeout_seconds, answer_seconds),
            "socket_timeout": answer_seconds,
            # A connection that idled may be dead.
            "retry": self._redis.retry.Retry(self._redis.backoff.NoBackoff(), 1),
            # A user may be allowed to publish and nothing else: so nothing else is asked.
            "driver_info": None,
        }
        try:
            self._client = self._redis.Redis.from_url(url, **options)
        except (ValueError, TypeError) as exc:
            raise BadSetting(variable, "(not shown)", REDIS_HELP) from exc
        given = self._client.connection_pool.connection_kwargs
        self.where = f"Redis at {given.get('path') or f'''{given.get('host')}:{given.get('port')}'''}"

    def connect(self) -> None:
        """Make sure that a connection can be had.

        Raises:
            Unavailable, Rejected: Redis cannot be reached, or refuses the user.
        """
        with self._asking():
            pool = self._client.connection_pool
            pool.release(pool.get_connection())

    def publish(self, channel: str, message: bytes) -> int:
        """Publish a message on a channel; how many listen there.

        Raises:
            Unavailable, Rejected: Redis cannot be reached, or says no.
        """
        with self._asking():
            return int(self._client.publish(channel, message))

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except self._redis.exceptions.RedisError as exc:
            raise self._translated(exc) from exc

    def _translated(self, error: Exception) -> JanitorError:
        errors = self._redis.exceptions
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if isinstance(error, errors.AuthenticationError):
            return Rejected(f"{self.where} refuses the user or the password: correct its URL ({said})")
        if isinstance(error, errors.NoPermissionError):
            return Rejected(f"{self.where} does not let this user publish: grant it that ({said})")
        if isinstance(error, errors.TimeoutError):
            return Unavailable(f"{self.where} did not answer in time ({said})")
        if isinstance(error, errors.ConnectionError):
            return Unavailable(f"{self.where} cannot be reached: {said}")
        return Unavailable(f"{self.where} cannot do that now: {said}")


def _redis(wanted_by: str) -> Any:
    try:
        import redis
    except ImportError as exc:
        raise _missing("redis", wanted_by) from exc
    return redis


def pack(value: Any, wanted_by: str) -> bytes:
    """A value as msgpack; `wanted_by` says in an error who needs that package.

    Raises:
        Rejected: the package is not installed.
    """
    try:
        import msgpack
    except ImportError as exc:
        raise _missing("msgpack", wanted_by) from exc
    return bytes(msgpack.packb(value, use_bin_type=True, unicode_errors="backslashreplace"))


def _missing(package: str, wanted_by: str) -> Rejected:
    return Rejected(f"{wanted_by} needs {package}: install Janitor with the extra 'redis'")
