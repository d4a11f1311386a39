"""The settings of Redis, by which a socket.io server is reached."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from janitor.settings.group import SettingsGroup
from janitor.settings.secrets import SECRET

SCHEMES = ("redis://", "rediss://", "unix://")
REDIS_HELP = "give a URL such as redis://:password@host:6379/0, or rediss:// for TLS"


def _redis_url(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not text.strip().startswith(SCHEMES):
        raise ValueError(f"it is not the URL of a Redis server: {REDIS_HELP}")
    return text.strip()


RedisUrl = Annotated[SecretStr, BeforeValidator(_redis_url), SECRET]


class RedisSettings(SettingsGroup):
    """Where the Redis server is that a socket.io server listens at."""

    redis_url: RedisUrl | None = Field(
        None, description="the Redis server by which socket.io servers are reached: a URL with the password in it"
    )
