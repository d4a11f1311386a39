"""The mark of a secret: no text repeats the value of a setting that bears it.

A setting that holds pydantic's `SecretStr` or a URL is a secret too, marked or not. A variable that no setting declares
is a secret too, unless its name is known to be plain.
"""

from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from sqlalchemy import URL


class SecretMark:
    """Stands in the annotation of each kind of value that is a secret, or holds one."""


SECRET = SecretMark()
PLAIN_NAMES = frozenset(
    "CI COLUMNS EDITOR HOME HOST HOSTNAME LANG LANGUAGE LINES LOGNAME NODE_NAME OLDPWD OSTYPE PAGER PATH POD_IP "
    "POD_NAME POD_NAMESPACE PWD PYTHONPATH SHELL SHLVL TEMP TERM TMP TMPDIR TZ USER USERNAME VIRTUAL_ENV".split()
)
"""Variables of the system itself: nobody keeps a secret in them."""
PLAIN_BEGINNINGS = ("LC_", "XDG_")


def is_plain(name: str) -> bool:
    """Whether a variable is the system's own, by its name."""
    return name in PLAIN_NAMES or name.startswith(PLAIN_BEGINNINGS)


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret, by its kind or by one of several kinds: `DatabaseUrl | None` is."""
    return _has_mark(field.metadata) or _bears_mark(field.annotation)


def secret_texts(value: object) -> list[str]:
    """The texts to hide in a secret setting's value: the password of a URL, or the whole; none if there is no value."""
    if isinstance(value, URL):
        secrets = (value.password, value.query.get("ssl_key_password"))
        return [str(secret) for secret in secrets if secret]
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    return [] if value is None else [str(value)]


def _bears_mark(annotation: Any) -> bool:
    metadata = getattr(annotation, "__metadata__", ())
    return (
        annotation in (SecretStr, URL)
        or _has_mark(metadata)
        or any(_bears_mark(inner) for inner in get_args(annotation))
    )


def _has_mark(metadata: Any) -> bool:
    return any(isinstance(one, SecretMark) for one in metadata)
