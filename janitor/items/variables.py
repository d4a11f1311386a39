"""Texts from variables whose names stand in options: an address, a bucket's name, a token."""

from pydantic import SecretStr

from janitor.errors import BadSetting
from janitor.settings.settings import Settings


def text_of(settings: Settings, name: str, expected: str) -> str:
    """The value of a variable, declared or not, as it is right now: its file is read again, if it has one.

    Raises:
        BadSetting: it is missing; `expected` says what to give.
    """
    value = settings.fresh(name) if name in settings.known else settings.fresh_text(name, bool)
    if value is None:
        raise BadSetting(name, None, expected)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def secret_of(settings: Settings, name: str, expected: str) -> str:
    """As `text_of`, and no text shows the value from now on.

    Raises:
        BadSetting: it is missing; `expected` says what to give.
    """
    value = text_of(settings, name, expected)
    settings.keep_secret(name, value)
    return value
