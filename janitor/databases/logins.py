"""Logins: each new connection has the user and the password that are right now."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import URL

Login = Callable[[URL], URL]
"""Gives a URL with the user and the password to log in with now."""


def as_given(url: URL) -> URL:
    """Log in as the URL says."""
    return url


def log_in(login: Login, url: URL, dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> None:
    """Put user and password into the arguments of a new connection."""
    now = login(url)
    options.update({name: given for name, given in (("user", now.username), ("password", now.password)) if given})
