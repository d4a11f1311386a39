"""The options after the `?` of a database URL: an allow-list, each option with the type of its value.

The driver takes whatever stands there, and takes it as a text: `ssl_disabled=false` was true. So each option is read
here, before the driver sees it, and an option that is not on the list is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import URL

from janitor.settings.truth import truth

MOST_SECONDS = 31_536_000
PATHS = frozenset({"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "unix_socket"})
"""The options that are paths."""


def options_of(url: URL) -> dict[str, Any]:
    """Each option of a URL in its type. An error repeats no value, as it may be a password.

    Raises:
        ValueError: there is no such option, or its value is not of its type, or two options contradict each other.
    """
    readers = _SQLITE if url.get_backend_name() == "sqlite" else _MYSQL
    found: dict[str, Any] = {}
    for name, value in url.query.items():
        if name in _SET_BY_JANITOR:
            raise ValueError(f"leave the option {name} out: Janitor sets it itself")
        if name not in readers:
            raise ValueError(f"there is no option {name}; the options are {', '.join(readers)}")
        if not isinstance(value, str):
            raise ValueError(f"its option {name} is there twice")
        found[name] = readers[name](name, value)
    _check_together(found)
    return found


def known_options(url: URL) -> dict[str, Any]:
    """The options of a URL that are on the list, each in its type.

    Raises:
        ValueError: a value is not of its type.
    """
    readers = _SQLITE if url.get_backend_name() == "sqlite" else _MYSQL
    return {name: readers[name](name, str(value)) for name, value in url.query.items() if name in readers}


def _check_together(options: Mapping[str, Any]) -> None:
    others = [name for name in options if name.startswith("ssl_") and name != "ssl_disabled"]
    if options.get("ssl_disabled") and others:
        raise ValueError(f"its options ssl_disabled=true and {others[0]} contradict each other: leave one out")
    identity = options.get("ssl_verify_identity", options.get("ssl_check_hostname"))
    if identity and options.get("ssl_verify_cert") is False:
        raise ValueError("a host name cannot be verified without the certificate: leave ssl_verify_cert=false out")


def _true_or_false(name: str, value: str) -> bool:
    if (found := truth(value)) is None:
        raise ValueError(f"its option {name} takes true or false")
    return found


def _seconds(name: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"its option {name} takes a number of seconds above 0")
    return seconds


def _text(name: str, value: str) -> str:
    if not value.strip():
        raise ValueError(f"its option {name} is empty")
    return value


def _charset(name: str, value: str) -> str:
    if value.lower() != "utf8mb4":
        raise ValueError("its option charset takes utf8mb4 alone, which Janitor uses in any case")
    return "utf8mb4"


_MYSQL: dict[str, Callable[[str, str], Any]] = {
    "ssl_ca": _text,
    "ssl_capath": _text,
    "ssl_cert": _text,
    "ssl_key": _text,
    "ssl_key_password": _text,
    "ssl_cipher": _text,
    "ssl_verify_cert": _true_or_false,
    "ssl_verify_identity": _true_or_false,
    "ssl_check_hostname": _true_or_false,
    "ssl_disabled": _true_or_false,
    "charset": _charset,
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "write_timeout": _seconds,
    "unix_socket": _text,
}
_SQLITE: dict[str, Callable[[str, str], Any]] = {"timeout": _seconds}
_SET_BY_JANITOR = ("autocommit", "client_flag", "init_command", "isolation_level", "local_infile", "sql_mode", "uri")
