"""The settings of the dashboard: where it listens, and who may see and do what."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from janitor.settings import accounts
from janitor.settings.group import SettingsGroup
from janitor.settings.secrets import SECRET


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (len(text) >= 16 and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("give at least 16 printable ASCII characters without blanks")
    return value


def _users(value: SecretStr) -> SecretStr:
    accounts.read(value.get_secret_value())
    return value


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        right = False
    if not right or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("give an address without a path, such as https://janitor.example.org")
    return value.rstrip("/")


Token = Annotated[SecretStr, AfterValidator(_token), SECRET]
Users = Annotated[SecretStr, AfterValidator(_users), SECRET]
Address = Annotated[str, AfterValidator(_address)]


class WebSettings(SettingsGroup):
    """The dashboard, its address, and its people and programs."""

    web_enabled: bool = Field(True, description="serve the dashboard, metrics and health: true or false")
    web_host: str = Field(
        "127.0.0.1", min_length=1, description="where the dashboard listens: an address of this machine, or 0.0.0.0"
    )
    web_port: int = Field(8080, ge=0, le=65535, description="the dashboard's port; 0 takes any that is free")
    web_url: Address | None = Field(None, description="the address by which people reach the dashboard, if it differs")
    web_users: Users | None = Field(
        None, description="who may sign in: name:role:hash ..., the role viewer or operator, the hash from `password`"
    )
    web_operator_token: Token | None = Field(
        None, description="with this bearer token a program may change things: at least 16 characters"
    )
    web_viewer_token: Token | None = Field(
        None, description="with this bearer token a program may look: at least 16 characters"
    )
